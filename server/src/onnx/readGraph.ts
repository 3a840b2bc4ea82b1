import type { ValueInfo } from '../../../protocol/model';
import type { Attribute, Graph, Node, Span, TensorRef } from './graph';
import { inOrder } from './nodeOrder';
import { quote, readEntry, readSparseTensor, readTensorProto, readValueInfo } from './readProto';
import { fieldInt, MAX_DEPTH, type Field, type WireReader } from './wire';

/** GraphProto, NodeProto and AttributeProto of onnx.proto3. */

/** Collects GraphProto messages; several of them merge, as protobuf has it. */
export class GraphBuilder {
  private name = '';
  private docString = '';
  private readonly nodes: Node[] = [];
  private readonly inputs: ValueInfo[] = [];
  private readonly outputs: ValueInfo[] = [];
  private readonly initializers = new Map<string, TensorRef>();
  private readonly valueInfo = new Map<string, ValueInfo>();
  private readonly valueMetadata = new Map<string, ReadonlyMap<string, string>>();
  private readonly valueSpans = new Map<string, Span>();
  private readonly metadata = new Map<string, string>();

  /** `depth` is 0 for the main graph. */
  constructor(
    private readonly wire: WireReader,
    private readonly depth: number,
  ) {}

  /** Reads one GraphProto message. */
  add(span: Span): void {
    this.wire.fields(span, 'a graph', field => {
      if (field.wire === 'bytes') this.take(field);
    });
  }

  private take(field: Field): void {
    const { wire } = this;
    switch (field.number) {
      case 1:
        this.nodes.push(readNode(wire, field, this.nodes.length, this.depth));
        break;
      case 2:
        this.name = wire.text(field);
        break;
      case 5:
        this.addInitializer(readTensorProto(wire, field));
        break;
      case 10:
        this.docString = wire.text(field);
        break;
      case 11:
        this.inputs.push(this.value(field));
        break;
      case 12:
        this.outputs.push(this.value(field));
        break;
      case 13: {
        const value = this.value(field);
        this.valueInfo.set(value.name, value);
        break;
      }
      case 15:
        this.addInitializer(readSparseTensor(wire, field));
        break;
      case 16:
        readEntry(wire, field, this.metadata);
        break;
    }
  }

  private addInitializer(tensor: TensorRef): void {
    const { name } = tensor;
    if (this.initializers.has(name))
      this.wire.report('warning', `There are two initializers ${quote(name)}.`, name);
    this.initializers.set(name, tensor);
  }

  private value(field: Field): ValueInfo {
    const { value, metadata } = readValueInfo(this.wire, field);
    this.valueSpans.set(value.name, spanOf(field));
    if (metadata.size > 0) this.valueMetadata.set(value.name, metadata);
    return value;
  }

  finish(): Graph {
    const { initializers, inputs } = this;
    const isWeight = ({ name }: ValueInfo): boolean => initializers.has(name);
    return {
      name: this.name,
      nodes: inOrder(this.nodes),
      inputs: this.depth === 0 ? inputs.filter(input => !isWeight(input)) : inputs,
      outputs: this.outputs,
      initializers,
      valueInfo: this.valueInfo,
      valueMetadata: this.valueMetadata,
      overridable: new Set(inputs.filter(isWeight).map(({ name }) => name)),
      docString: this.docString,
      metadata: this.metadata,
      valueSpans: this.valueSpans,
    };
  }
}

export const spanOf = ({ offset, length }: Field): Span => ({ offset, length });

/** NodeProto. `depth` counts the graphs around it. */
export function readNode(wire: WireReader, span: Span, index: number, depth: number): Node {
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributes = new Map<string, Attribute>();
  const metadata = new Map<string, string>();
  const texts = { name: '', op: '', docString: '', domain: '', overload: '' };
  wire.fields(span, 'a node', field => {
    if (field.wire !== 'bytes') return;
    switch (field.number) {
      case 1:
        inputs.push(wire.text(field));
        break;
      case 2:
        outputs.push(wire.text(field));
        break;
      case 3:
        texts.name = wire.text(field);
        break;
      case 4:
        texts.op = wire.text(field);
        break;
      case 5: {
        const { name, attribute } = readAttribute(wire, field, depth);
        attributes.set(name, attribute);
        break;
      }
      case 6:
        texts.docString = wire.text(field);
        break;
      case 7:
        texts.domain = canonicalDomain(wire.text(field));
        break;
      case 8:
        texts.overload = wire.text(field);
        break;
      case 9:
        readEntry(wire, field, metadata);
        break;
    }
  });
  const { offset, length } = span;
  return { index, ...texts, inputs, outputs, attributes, metadata, span: { offset, length } };
}

/** The ONNX domain has two spellings; this project uses the empty one. */
export const canonicalDomain = (domain: string): string => (domain === 'ai.onnx' ? '' : domain);

/** AttributeProto. Old files leave the type out: then it is what the filled field says. */
export function readAttribute(
  wire: WireReader,
  span: Span,
  depth: number,
): { readonly name: string; readonly attribute: Attribute } {
  const parts = new AttributeParts(wire, depth);
  wire.fields(span, 'an attribute', field => parts.take(field));
  const { offset, length } = span;
  return { name: parts.name, attribute: parts.attribute({ offset, length }) };
}

/** Which field of AttributeProto holds the value of each AttributeProto.AttributeType. */
const FIELD_OF_TYPE: readonly number[] = [0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 22, 23, 14, 15];

class AttributeParts {
  name = '';
  private reference = '';
  private type = 0;
  private seen = 0;
  private float = 0;
  private int = 0;
  private string = '';
  private tensor: TensorRef | null = null;
  private graph: GraphBuilder | null = null;
  private readonly floats: number[] = [];
  private readonly ints: number[] = [];
  private readonly strings: string[] = [];
  private readonly tensors: TensorRef[] = [];
  private readonly graphs: Graph[] = [];

  constructor(
    private readonly wire: WireReader,
    private readonly depth: number,
  ) {}

  take(field: Field): void {
    const { wire } = this;
    const { number } = field;
    if (number === 1) this.name = wire.text(field);
    else if (number === 21) this.reference = wire.text(field);
    else if (number === 20) this.type = fieldInt(field);
    else if (number !== 13) {
      this.seen = number;
      this.takeValue(field);
    }
  }

  private takeValue(field: Field): void {
    const { wire } = this;
    if (field.number === 2) this.float = wire.float(field);
    else if (field.number === 3) this.int = fieldInt(field);
    else if (field.number === 7) wire.floats(field, this.floats);
    else if (field.number === 8) wire.ints(field, this.ints);
    else if (field.wire === 'bytes') this.takeMessage(field);
  }

  private takeMessage(field: Field): void {
    const { wire } = this;
    switch (field.number) {
      case 4:
        this.string = wire.text(field);
        break;
      case 5:
        this.tensor = readTensorProto(wire, field);
        break;
      case 6:
        this.graph ??= this.builder();
        this.graph?.add(field);
        break;
      case 9:
        this.strings.push(wire.text(field));
        break;
      case 10:
        this.tensors.push(readTensorProto(wire, field));
        break;
      case 11: {
        const graph = this.builder();
        graph?.add(field);
        if (graph) this.graphs.push(graph.finish());
        break;
      }
      case 22:
        this.tensor = readSparseTensor(wire, field);
        break;
    }
  }

  private builder(): GraphBuilder | null {
    if (this.depth + 1 < MAX_DEPTH) return new GraphBuilder(this.wire, this.depth + 1);
    this.wire.report('error', 'Graphs are nested too deep; the innermost were left out.');
    return null;
  }

  attribute(span: Span): Attribute {
    if (this.reference !== '') return { kind: 'reference', value: this.reference };
    switch (FIELD_OF_TYPE[this.type] || this.seen) {
      case 2:
        return { kind: 'float', value: this.float };
      case 3:
        return { kind: 'int', value: this.int };
      case 4:
        return { kind: 'string', value: this.string };
      case 5:
      case 22:
        return this.tensor ? { kind: 'tensor', value: this.tensor } : { kind: 'opaque', span };
      case 6:
        return this.graph
          ? { kind: 'graph', value: this.graph.finish() }
          : { kind: 'opaque', span };
      case 7:
        return { kind: 'floats', value: this.floats };
      case 8:
        return { kind: 'ints', value: this.ints };
      case 9:
        return { kind: 'strings', value: this.strings };
      case 10:
        return { kind: 'tensors', value: this.tensors };
      case 11:
        return { kind: 'graphs', value: this.graphs };
      default:
        return { kind: 'opaque', span };
    }
  }
}
