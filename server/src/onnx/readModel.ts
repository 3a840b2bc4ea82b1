import type { Attribute, ByteSource, LocalFunction, Model, Node, Span } from './graph';
import { canonicalDomain, GraphBuilder, readAttribute, readNode } from './readGraph';
import { readEntry } from './readProto';
import { fieldInt, WireReader, type Field, type Truncation } from './wire';

/** What reading a file gives besides the model, for deciding whether it is one at all. */
export interface ModelReading {
  readonly model: Model;
  readonly hasGraph: boolean;
  readonly hasIrVersion: boolean;
  readonly truncation: Truncation | null;
  /** Places that do not follow the protobuf wire format. */
  readonly faults: number;
}

/**
 * Reads the structure of an ONNX model (ModelProto of onnx.proto3): no weight is read, only where it lies. Never throws for what the
 * bytes are: gives what it understood, and `problems`. Errors of the source itself (a file that vanished) come through.
 */
export const readModel = (source: ByteSource): Model => readModelBytes(source).model;

/** As `readModel`, and what it says about the file. */
export function readModelBytes(source: ByteSource): ModelReading {
  const wire = new WireReader(source);
  const graph = new GraphBuilder(wire, 0);
  const opsets = new Map<string, number>();
  const metadata = new Map<string, string>();
  const functions: LocalFunction[] = [];
  const headerSpans: Span[] = [];
  const texts = { producerName: '', producerVersion: '', domain: '', docString: '' };
  let irVersion = 0;
  let hasGraph = false;

  const take = (field: Field): void => {
    switch (field.number) {
      case 1:
        irVersion = fieldInt(field);
        break;
      case 2:
        texts.producerName = wire.text(field);
        break;
      case 3:
        texts.producerVersion = wire.text(field);
        break;
      case 4:
        texts.domain = wire.text(field);
        break;
      case 6:
        texts.docString = wire.text(field);
        break;
      case 7:
        hasGraph ||= field.wire === 'bytes';
        if (field.wire === 'bytes') graph.add(field);
        break;
      case 8:
        readOpset(wire, field, opsets);
        break;
      case 14:
        readEntry(wire, field, metadata);
        break;
      case 25:
        if (field.wire === 'bytes') functions.push(readFunction(wire, field));
        break;
    }
  };
  wire.fields({ offset: 0, length: source.size }, 'the model', field => {
    take(field);
    const end = field.offset + field.length;
    if (!REWRITTEN.has(field.number))
      headerSpans.push({ offset: field.start, length: end - field.start });
  });
  reportTruncation(wire);
  const model: Model = {
    source,
    irVersion,
    opsets,
    ...texts,
    metadata,
    graph: graph.finish(),
    functions,
    headerSpans,
    problems: wire.problems,
  };
  const { truncation, faults } = wire;
  return { model, hasGraph, hasIrVersion: irVersion > 0, truncation, faults };
}

/** graph, opset_import, training_info and functions: an edited copy has its own, or none. */
const REWRITTEN: ReadonlySet<number> = new Set([7, 8, 20, 25]);

function reportTruncation(wire: WireReader): void {
  if (!wire.truncation) return;
  const { at, needed } = wire.truncation;
  wire.report('error', `The file is truncated at byte ${at} of at least ${needed}.`);
}

/** OperatorSetIdProto. */
function readOpset(wire: WireReader, span: Field, into: Map<string, number>): void {
  if (span.wire !== 'bytes') return;
  let domain = '';
  let version = 0;
  wire.fields(span, 'an opset import', field => {
    if (field.number === 1) domain = canonicalDomain(wire.text(field));
    else if (field.number === 2) version = fieldInt(field);
  });
  into.set(domain, version);
}

/** FunctionProto. */
function readFunction(wire: WireReader, span: Span): LocalFunction {
  const inputs: string[] = [];
  const outputs: string[] = [];
  const attributeNames: string[] = [];
  const attributeDefaults = new Map<string, Attribute>();
  const nodes: Node[] = [];
  const opsets = new Map<string, number>();
  const texts = { name: '', domain: '', overload: '' };
  wire.fields(span, 'a function', field => {
    if (field.wire !== 'bytes') return;
    switch (field.number) {
      case 1:
        texts.name = wire.text(field);
        break;
      case 4:
        inputs.push(wire.text(field));
        break;
      case 5:
        outputs.push(wire.text(field));
        break;
      case 6:
        attributeNames.push(wire.text(field));
        break;
      case 7:
        nodes.push(readNode(wire, field, nodes.length, 0));
        break;
      case 9:
        readOpset(wire, field, opsets);
        break;
      case 10:
        texts.domain = canonicalDomain(wire.text(field));
        break;
      case 11: {
        const { name, attribute } = readAttribute(wire, field, 0);
        attributeDefaults.set(name, attribute);
        break;
      }
      case 13:
        texts.overload = wire.text(field);
        break;
    }
  });
  const { offset, length } = span;
  return {
    ...texts,
    inputs,
    outputs,
    attributeNames,
    attributeDefaults,
    nodes,
    opsets,
    span: { offset, length },
  };
}
