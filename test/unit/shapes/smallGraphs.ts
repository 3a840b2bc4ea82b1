import type { DataType, ValueInfo } from '../../../protocol/model';
import type { Attribute, Graph, Model, Node, TensorRef } from '../../../server/src/onnx/graph';
import type { Tensor } from '../../../server/src/onnx/tensor';

/** An attribute as JSON has it. */
export type PlainAttribute = number | string | readonly number[];

export function attributeOf(name: string, value: PlainAttribute): Attribute {
  if (typeof value === 'string') return { kind: 'string', value };
  if (typeof value === 'number')
    return FLOATS.has(name) || !Number.isInteger(value)
      ? { kind: 'float', value }
      : { kind: 'int', value };
  return FLOATS.has(name) ? { kind: 'floats', value } : { kind: 'ints', value };
}

/** Attributes of the cases that are floats whatever their value. */
const FLOATS: ReadonlySet<string> = new Set(['scales', 'alpha', 'epsilon', 'spatial_scale']);

export function nodeOf(
  index: number,
  op: string,
  inputs: readonly string[],
  outputs: readonly string[],
  attributes: ReadonlyMap<string, Attribute> = new Map(),
  more: Partial<Node> = {},
): Node {
  return {
    index,
    name: '',
    op,
    domain: '',
    overload: '',
    inputs,
    outputs,
    attributes,
    docString: '',
    metadata: new Map(),
    span: null,
    ...more,
  };
}

export const valueOf = (name: string, dtype: DataType, shape: ValueInfo['shape']): ValueInfo => ({
  name,
  dtype,
  shape,
});

export function constantOf(
  name: string,
  dtype: DataType,
  shape: readonly number[],
  values: readonly number[],
): TensorRef {
  const data = dtype === 'int64' ? BigInt64Array.from(values, BigInt) : Float32Array.from(values);
  return {
    name,
    dtype,
    shape,
    location: { kind: 'bytes', bytes: new Uint8Array(data.buffer) },
    span: null,
  };
}

/** Reads what `constantOf` made. */
export function readSmall(ref: TensorRef): Tensor | null {
  if (ref.location.kind !== 'bytes') return null;
  const buffer = ref.location.bytes.slice().buffer;
  return {
    dtype: ref.dtype === 'int64' ? 'int64' : 'float32',
    shape: ref.shape,
    data: ref.dtype === 'int64' ? new BigInt64Array(buffer) : new Float32Array(buffer),
  };
}

export function graphOf(parts: Partial<Graph>): Graph {
  return {
    name: '',
    nodes: [],
    inputs: [],
    outputs: [],
    initializers: new Map(),
    valueInfo: new Map(),
    valueMetadata: new Map(),
    overridable: new Set(),
    docString: '',
    metadata: new Map(),
    ...parts,
  };
}

export function modelOf(graph: Graph, version = 17): Model {
  return {
    source: {
      name: 'made.onnx',
      size: 0,
      read: () => new Uint8Array(),
    },
    irVersion: 8,
    opsets: new Map([
      ['', version],
      ['com.microsoft', 1],
    ]),
    producerName: '',
    producerVersion: '',
    domain: '',
    docString: '',
    metadata: new Map(),
    graph,
    functions: [],
    headerSpans: [],
    problems: [],
  };
}
