import type { ValueInfo } from '../../../protocol/model';
import { constantTensor, exactLong } from './constantNode';
import { codeOf, storedBytes } from './dataTypes';
import type { Attribute, ByteSource, ExternalData, Graph, Node, Span, TensorRef } from './graph';
import type { ProtoWriter } from './protoWriter';
import { externalBytes } from './readTensor';
import { elementCount } from './tensor';
import { WireReader, type Field } from './wire';

/** Weights up to this many bytes are copied; larger ones are named by where they lie in the model file. */
const MAX_COPIED = 1024;

/** What of a graph is written, where that is not all of it. */
export interface GraphSelection {
  readonly nodes: readonly Node[];
  readonly inputs: readonly ValueInfo[];
  readonly initializers: readonly TensorRef[];
  readonly valueInfo: readonly ValueInfo[];
  /** Those that the graph does not give by itself are written by name only: what they are is for ONNX Runtime to infer. */
  readonly outputs: readonly string[];
}

/**
 * Writes graphs back as protobuf (onnx.proto3) without their large weights: those become external data of the model file itself, by
 * offset and length (ExternalData.md). What an edit did not touch is copied byte for byte.
 */
export class GraphEncoder {
  /** Whether anything written refers to the model file. */
  refersToFile = false;

  /**
   * `fileName` is what the references call the model file. `external` reads small weights of other files, which are copied: shapes and axes
   * are among them, and ONNX Runtime infers shapes before it opens such files.
   */
  constructor(
    private readonly source: ByteSource,
    private readonly fileName: string,
    private readonly external: ExternalData | null,
  ) {}

  copy(span: Span): Uint8Array {
    return this.source.read(span.offset, span.length);
  }

  /** The main graph, cut to a selection. */
  mainGraph(writer: ProtoWriter, graph: Graph, selection: GraphSelection): void {
    this.nodes(writer, selection.nodes, selection.initializers, new Set(selection.outputs));
    writer.text(2, graph.name);
    for (const input of selection.inputs) this.value(writer, 11, graph, input);
    const own = new Map(graph.outputs.map(output => [output.name, output]));
    for (const name of selection.outputs)
      this.value(writer, 12, graph, own.get(name) ?? { name, dtype: 'undefined', shape: null });
    for (const value of selection.valueInfo) this.value(writer, 13, graph, value);
  }

  private subgraph(writer: ProtoWriter, graph: Graph): void {
    const outputs = new Set(graph.outputs.map(({ name }) => name));
    this.nodes(writer, graph.nodes, [...graph.initializers.values()], outputs);
    writer.text(2, graph.name);
    for (const input of graph.inputs) this.value(writer, 11, graph, input);
    for (const output of graph.outputs) this.value(writer, 12, graph, output);
    for (const value of graph.valueInfo.values()) this.value(writer, 13, graph, value);
  }

  /** Nodes and initializers. A Constant node with a large weight becomes an initializer, which can lie elsewhere, unless it is an output. */
  private nodes(
    writer: ProtoWriter,
    nodes: readonly Node[],
    initializers: readonly TensorRef[],
    outputs: ReadonlySet<string>,
  ): void {
    const moved: TensorRef[] = [];
    for (const node of nodes) {
      const constant = constantTensor(node);
      if (constant && isLarge(constant) && !outputs.has(constant.name)) moved.push(constant);
      else this.node(writer, node);
    }
    for (const tensor of [...initializers, ...moved]) this.initializer(writer, tensor);
  }

  private initializer(writer: ProtoWriter, tensor: TensorRef): void {
    if (tensor.location.kind === 'sparse')
      writer.message(15, inner => this.sparse(inner, tensor, tensor.name));
    else writer.message(5, inner => this.tensor(inner, tensor, tensor.name));
  }

  private node(writer: ProtoWriter, node: Node): void {
    if (node.span && !holdsLarge(node)) {
      writer.bytes(1, this.copy(node.span));
      return;
    }
    writer.message(1, inner => {
      for (const input of node.inputs) inner.text(1, input);
      for (const output of node.outputs) inner.text(2, output);
      inner.text(3, node.name);
      inner.text(4, node.op);
      for (const [name, attribute] of node.attributes)
        inner.message(5, message => this.attribute(message, name, attribute));
      if (node.domain !== '') inner.text(7, node.domain);
      if (node.overload !== '') inner.text(8, node.overload);
    });
  }

  /** AttributeProto; the numbers of field 20 are AttributeProto.AttributeType. */
  private attribute(writer: ProtoWriter, name: string, attribute: Attribute): void {
    if (attribute.kind === 'opaque') {
      // the last of two names counts, so this one does
      writer.raw(this.copy(attribute.span));
      writer.text(1, name);
      return;
    }
    writer.text(1, name);
    switch (attribute.kind) {
      case 'float':
        writer.float(2, attribute.value);
        writer.int(20, 1);
        break;
      case 'int':
        writer.int(3, exactLong(attribute.value));
        writer.int(20, 2);
        break;
      case 'string':
        writer.text(4, attribute.value);
        writer.int(20, 3);
        break;
      case 'tensor':
        this.tensorAttribute(writer, attribute.value);
        break;
      case 'graph':
        writer.message(6, inner => this.subgraph(inner, attribute.value));
        writer.int(20, 5);
        break;
      case 'floats':
        for (const value of attribute.value) writer.float(7, value);
        writer.int(20, 6);
        break;
      case 'ints':
        for (const value of attribute.value) writer.int(8, exactLong(value));
        writer.int(20, 7);
        break;
      case 'strings':
        for (const value of attribute.value) writer.text(9, value);
        writer.int(20, 8);
        break;
      case 'tensors':
        for (const tensor of attribute.value)
          writer.message(10, inner => this.inlineTensor(inner, tensor));
        writer.int(20, 9);
        break;
      case 'graphs':
        for (const graph of attribute.value)
          writer.message(11, inner => this.subgraph(inner, graph));
        writer.int(20, 10);
        break;
      case 'reference':
        writer.text(21, attribute.value);
        break;
    }
  }

  private tensorAttribute(writer: ProtoWriter, tensor: TensorRef): void {
    const isSparse = tensor.location.kind === 'sparse';
    if (isSparse) writer.message(22, inner => this.sparse(inner, tensor, tensor.name));
    else writer.message(5, inner => this.inlineTensor(inner, tensor));
    writer.int(20, isSparse ? 11 : 4);
  }

  /** SparseTensorProto: both parts by what they are, so that large ones stay where they lie. */
  private sparse(writer: ProtoWriter, tensor: TensorRef, name: string): void {
    const { location } = tensor;
    if (location.kind !== 'sparse') return;
    writer.message(1, inner => this.inlineTensor(inner, { ...location.values, name }));
    writer.message(2, inner => this.inlineTensor(inner, location.indices));
    for (const size of tensor.shape) writer.int(3, size);
  }

  /** A TensorProto that must hold its bytes itself, as attributes do. */
  private inlineTensor(writer: ProtoWriter, tensor: TensorRef): void {
    if (tensor.span) {
      writer.raw(this.copy(tensor.span));
      if (tensor.name !== '') writer.text(8, tensor.name);
    } else this.tensor(writer, tensor, tensor.name);
  }

  /** A TensorProto named `name`: small ones as they are, large ones by reference. */
  private tensor(writer: ProtoWriter, tensor: TensorRef, name: string): void {
    const range = isLarge(tensor) ? rangeInFile(this.source, tensor) : null;
    if (range) {
      this.header(writer, tensor, name);
      this.refersToFile = true;
      const entries = { location: this.fileName, offset: range.offset, length: range.length };
      for (const [key, value] of Object.entries(entries))
        writer.message(13, entry => {
          entry.text(1, key);
          entry.text(2, String(value));
        });
      writer.int(14, 1);
      return;
    }
    const small = this.smallExternal(tensor);
    if (tensor.span && !small) {
      writer.raw(this.copy(tensor.span));
      writer.text(8, name);
      return;
    }
    this.header(writer, tensor, name);
    if (small) writer.bytes(9, small);
    else this.made(writer, tensor);
  }

  private smallExternal(tensor: TensorRef): Uint8Array | null {
    const { location, dtype, shape } = tensor;
    const isSmall = storedBytes(dtype, elementCount(shape)) <= MAX_COPIED;
    if (!this.external || location.kind !== 'external' || !isSmall) return null;
    return externalBytes(tensor, location, this.external);
  }

  private header(writer: ProtoWriter, tensor: TensorRef, name: string): void {
    for (const size of tensor.shape) writer.int(1, size);
    writer.int(2, codeOf(tensor.dtype));
    writer.text(8, name);
  }

  /** The elements of a tensor that an edit made. */
  private made(writer: ProtoWriter, { name, location }: TensorRef): void {
    switch (location.kind) {
      case 'bytes':
        writer.bytes(9, location.bytes);
        break;
      case 'strings':
        for (const text of location.values) writer.text(6, text);
        break;
      case 'raw':
        writer.bytes(9, this.copy(location));
        break;
      default:
        throw new Error(`the tensor ${name} is ${location.kind} but has no message in the file`);
    }
  }

  /** ValueInfoProto, as in the file where it is there. */
  private value(writer: ProtoWriter, field: number, graph: Graph, value: ValueInfo): void {
    const span = value.dtype === 'undefined' ? null : graph.valueSpans?.get(value.name);
    if (span) writer.bytes(field, this.copy(span));
    else writer.message(field, inner => madeValue(inner, value));
  }
}

function madeValue(writer: ProtoWriter, { name, dtype, shape, container }: ValueInfo): void {
  writer.text(1, name);
  if (container || dtype === 'undefined') return;
  writer.message(2, type =>
    type.message(1, tensor => {
      tensor.int(1, codeOf(dtype));
      if (!shape) return;
      tensor.message(2, dimensions => {
        for (const size of shape)
          dimensions.message(1, dimension => {
            if (typeof size === 'number') dimension.int(1, size);
            else if (size !== null) dimension.text(2, size);
          });
      });
    }),
  );
}

const isLarge = ({ dtype, shape, location }: TensorRef): boolean =>
  (location.kind === 'raw' || location.kind === 'typed') &&
  storedBytes(dtype, elementCount(shape)) > MAX_COPIED;

/** Whether a graph inside the node holds a Constant or an initializer that is better left where it lies. */
function holdsLarge(node: Node): boolean {
  for (const attribute of node.attributes.values()) {
    if (attribute.kind === 'graph' && graphHoldsLarge(attribute.value)) return true;
    if (attribute.kind === 'graphs' && attribute.value.some(graphHoldsLarge)) return true;
  }
  return false;
}

function graphHoldsLarge(graph: Graph): boolean {
  if ([...graph.initializers.values()].some(isLarge)) return true;
  return graph.nodes.some(node => {
    const constant = constantTensor(node);
    return constant ? isLarge(constant) : holdsLarge(node);
  });
}

/** Where the little-endian elements of a tensor lie in the file without a gap; null where they are encoded otherwise. */
function rangeInFile(source: ByteSource, tensor: TensorRef): Span | null {
  const { location, dtype, shape } = tensor;
  const needed = storedBytes(dtype, elementCount(shape));
  if (location.kind === 'raw') return location.length === needed ? location : null;
  if (location.kind !== 'typed') return null;
  const field = PACKED_FIELD[dtype];
  if (field === undefined) return null;
  const found: Field[] = [];
  new WireReader(source).fields(location, 'a tensor', each => {
    if (each.number === field) found.push(each);
  });
  const [only] = found;
  return found.length === 1 && only?.wire === 'bytes' && only.length === needed ? only : null;
}

/** float_data and double_data hold their elements as they are; the other typed fields hold varints. */
const PACKED_FIELD: Readonly<Partial<Record<TensorRef['dtype'], number>>> = {
  float32: 4,
  complex64: 4,
  float64: 10,
  complex128: 10,
};
