/** Writes small ONNX files for tests and benchmarks: just enough of onnx.proto3, with nothing of the reader that is under test. */

export type AttributeInput = number | string | readonly number[] | { readonly float: number };

export interface NodeInput {
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly name?: string;
  readonly domain?: string;
  readonly attributes?: Readonly<Record<string, AttributeInput>>;
}

const FLOAT = 1;
const TYPE_CODES = { float32: FLOAT, uint8: 2, int8: 3, int32: 6, int64: 7 } as const;
export type WriterType = keyof typeof TYPE_CODES;

export interface TensorInput {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type?: WriterType;
  /** Little-endian bytes, or where they lie in another file. */
  readonly data:
    | Uint8Array
    | Float32Array
    | { readonly location: string; readonly offset: number; readonly length: number };
}

export interface ValueInput {
  readonly name: string;
  /** Null: nothing is said of the type, as tools do that declare intermediate values. */
  readonly shape: readonly (number | string)[] | null;
  readonly type?: WriterType;
}

export interface ModelInput {
  readonly nodes: readonly NodeInput[];
  readonly inputs: readonly ValueInput[];
  readonly outputs: readonly ValueInput[];
  readonly initializers: readonly TensorInput[];
  readonly opset?: number;
}

function varint(value: number): Buffer {
  // Negative integers are ten bytes of two's complement.
  let rest = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  do {
    bytes.push(Number(rest & 0x7fn) | (rest > 0x7fn ? 0x80 : 0));
    rest >>= 7n;
  } while (rest > 0n);
  return Buffer.from(bytes);
}

const integer = (field: number, value: number): Buffer =>
  Buffer.concat([varint(field << 3), varint(value)]);

function message(field: number, parts: Uint8Array | readonly Uint8Array[]): Buffer {
  const body = parts instanceof Uint8Array ? [parts] : parts;
  const length = body.reduce((sum, part) => sum + part.byteLength, 0);
  return Buffer.concat([varint((field << 3) | 2), varint(length), ...body]);
}

const text = (field: number, value: string): Buffer => message(field, Buffer.from(value, 'utf8'));

function float(field: number, value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return Buffer.concat([varint((field << 3) | 5), bytes]);
}

function attribute(name: string, value: AttributeInput): Buffer {
  const kind = { float: 1, int: 2, string: 3, ints: 7 };
  const parts = [text(1, name)];
  if (typeof value === 'number') parts.push(integer(3, value), integer(20, kind.int));
  else if (typeof value === 'string') parts.push(text(4, value), integer(20, kind.string));
  else if ('float' in value) parts.push(float(2, value.float), integer(20, kind.float));
  else parts.push(...value.map(item => integer(8, item)), integer(20, kind.ints));
  return message(5, parts);
}

const node = (input: NodeInput): Buffer =>
  message(1, [
    ...input.inputs.map(name => text(1, name)),
    ...input.outputs.map(name => text(2, name)),
    ...(input.name === undefined ? [] : [text(3, input.name)]),
    text(4, input.op),
    ...Object.entries(input.attributes ?? {}).map(([name, value]) => attribute(name, value)),
    ...(input.domain === undefined ? [] : [text(7, input.domain)]),
  ]);

function initializer(tensor: TensorInput): Buffer {
  const head = [
    ...tensor.shape.map(size => integer(1, size)),
    integer(2, TYPE_CODES[tensor.type ?? 'float32']),
    text(8, tensor.name),
  ];
  if (ArrayBuffer.isView(tensor.data)) {
    const { buffer, byteOffset, byteLength } = tensor.data;
    return message(5, [...head, message(9, new Uint8Array(buffer, byteOffset, byteLength))]);
  }
  const entry = (key: string, value: string | number): Buffer =>
    message(13, [text(1, key), text(2, String(value))]);
  const { location, offset, length } = tensor.data;
  const external = [entry('location', location), entry('offset', offset), entry('length', length)];
  return message(5, [...head, ...external, integer(14, 1)]);
}

function value(field: number, info: ValueInput): Buffer {
  if (info.shape === null) return message(field, [text(1, info.name)]);
  const dimensions = info.shape.map(size =>
    message(1, typeof size === 'number' ? integer(1, size) : text(2, size)),
  );
  const type = message(1, [integer(1, TYPE_CODES[info.type ?? 'float32']), message(2, dimensions)]);
  return message(field, [text(1, info.name), message(2, type)]);
}

/** A whole ModelProto, ir_version 8. */
export const writeModel = (model: ModelInput): Buffer =>
  Buffer.concat([
    integer(1, 8),
    text(2, 'layer-lens tests'),
    message(7, [
      ...model.nodes.map(node),
      text(2, 'graph'),
      ...model.initializers.map(initializer),
      ...model.inputs.map(info => value(11, info)),
      ...model.outputs.map(info => value(12, info)),
    ]),
    message(8, [text(1, ''), integer(2, model.opset ?? 17)]),
  ]);

/** Seeded numbers, uniform in −1…1 (mulberry32). */
export function seededNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 31 - 1;
  };
}

/** `count` seeded floats of magnitude up to `scale`. */
export function seededFloats(seed: number, count: number, scale: number): Float32Array {
  const next = seededNumbers(seed);
  return Float32Array.from({ length: count }, () => next() * scale);
}

/** The same model with more values declared as outputs: protobuf merges a second GraphProto into the first. */
export function withOutputs(model: Buffer, names: readonly string[]): Buffer {
  const graph = 7;
  const output = 12;
  const outputs = names.map(name => value(output, { name, shape: null }));
  return Buffer.concat([model, message(graph, outputs)]);
}
