import * as ort from 'onnxruntime-node';
import { expect } from 'vitest';
import type { DataType } from '../../../../protocol/model';
import { normalize, type Normalized } from '../../../../server/src/gradient/normalize';
import { editModel } from '../../../../server/src/onnx/editModel';
import type { Attribute, Graph, Model, TensorRef } from '../../../../server/src/onnx/graph';
import { readTensor } from '../../../../server/src/onnx/readTensor';
import { inferValues } from '../../../../server/src/onnx/shapes/inferShapes';
import type { Tensor, TensorData } from '../../../../server/src/onnx/tensor';
import { graphOf, modelOf, nodeOf, valueOf, type PlainAttribute } from '../../shapes/smallGraphs';
import { random } from '../finiteDifferences';

/** A tensor of a case: random numbers from −1 to 1 (small integers for integer types) where no values are given. */
export interface Given {
  readonly shape: readonly number[];
  readonly dtype?: DataType;
  readonly values?: readonly number[];
  /** Stored in the model instead of being fed. */
  readonly constant?: boolean;
}

/** A model of one node, `x0`, `x1`, … → `y0`, `y1`, … */
export interface NodeCase {
  readonly op: string;
  readonly domain?: string;
  readonly opset?: number;
  readonly inputs: readonly (Given | null)[];
  /** Whole numbers are ints unless they are given as `{ float }` or `{ floats }`. */
  readonly attributes?: Readonly<Record<string, PlainAttribute | Attribute>>;
  /** Outputs that the node names; the first by default. */
  readonly outputs?: readonly number[];
}

const count = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

export function arrayOf(
  dtype: DataType,
  values: readonly number[],
): Exclude<TensorData, readonly string[]> {
  switch (dtype) {
    case 'float64':
      return Float64Array.from(values);
    case 'int64':
      return BigInt64Array.from(values, BigInt);
    case 'int32':
      return Int32Array.from(values);
    case 'int8':
      return Int8Array.from(values);
    case 'int16':
      return Int16Array.from(values);
    case 'uint16':
      return Uint16Array.from(values);
    case 'uint8':
    case 'bool':
      return Uint8Array.from(values);
    default:
      return Float32Array.from(values);
  }
}

const LARGEST: Readonly<Partial<Record<DataType, number>>> = { int8: 127, uint8: 255, int32: 500 };

function numbersOf(
  { shape, dtype = 'float32', values }: Given,
  next: () => number,
): readonly number[] {
  if (values) return values;
  const largest = LARGEST[dtype];
  return Array.from({ length: count(shape) }, () => {
    if (largest === undefined) return 2 * next() - 1;
    return dtype === 'uint8' ? Math.floor(next() * 256) : Math.floor((2 * next() - 1) * largest);
  });
}

const attributeOf = (value: PlainAttribute | Attribute): Attribute => {
  if (typeof value === 'number')
    return Number.isInteger(value) ? { kind: 'int', value } : { kind: 'float', value };
  if (typeof value === 'string') return { kind: 'string', value };
  return 'kind' in value ? value : { kind: 'ints', value };
};

export const refOf = (
  name: string,
  { shape, dtype = 'float32' }: Given,
  values: readonly number[],
): TensorRef => {
  const data = arrayOf(dtype, values);
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return { name, dtype, shape, location: { kind: 'bytes', bytes }, span: null };
};

/** A model whose file says only its IR version, 10: the rest is written by `editModel`. */
export function madeModel(graph: Graph, opset: number): Model {
  return {
    ...modelOf(graph, opset),
    source: { name: 'made.onnx', size: 2, read: () => Uint8Array.of(0x08, 10) },
    headerSpans: [{ offset: 0, length: 2 }],
  };
}

export interface Made {
  readonly model: Model;
  readonly feeds: Readonly<Record<string, Tensor>>;
  readonly outputs: readonly string[];
}

export function madeOf({
  op,
  domain = 'com.microsoft',
  opset = 17,
  inputs,
  attributes = {},
  outputs = [0],
}: NodeCase): Made {
  const next = random(3);
  const initializers = new Map<string, TensorRef>();
  const feeds: Record<string, Tensor> = {};
  inputs.forEach((given, i) => {
    if (!given) return;
    const { shape, dtype = 'float32' } = given;
    const values = numbersOf(given, next);
    if (given.constant) initializers.set(`x${i}`, refOf(`x${i}`, given, values));
    else feeds[`x${i}`] = { dtype, shape, data: arrayOf(dtype, values) };
  });
  const names = Array.from({ length: Math.max(...outputs) + 1 }, (_, i) =>
    outputs.includes(i) ? `y${i}` : '',
  );
  const node = nodeOf(
    0,
    op,
    inputs.map((given, i) => (given ? `x${i}` : '')),
    names,
    new Map(Object.entries(attributes).map(([name, value]) => [name, attributeOf(value)])),
    { domain, name: 'node' },
  );
  const graph = graphOf({
    name: 'case',
    nodes: [node],
    inputs: Object.entries(feeds).map(([name, { dtype, shape }]) => valueOf(name, dtype, shape)),
    initializers,
  });
  const given = names.filter(name => name !== '');
  const { shapes } = inferValues(madeModel(graph, opset), { readConstant: () => null });
  // ONNX Runtime infers no type for some of the outputs
  const declared = given.map(name => valueOf(name, shapes.get(name)?.dtype ?? 'undefined', null));
  return { model: madeModel({ ...graph, outputs: declared }, opset), feeds, outputs: given };
}

/** The normal form of a model for these inputs. */
export function normalOf(model: Model, feeds: Readonly<Record<string, Tensor>>): Normalized {
  const read = (ref: TensorRef): Tensor =>
    readTensor(model, ref, () => {
      throw new Error('no external data');
    });
  const inputShapes = new Map(Object.entries(feeds).map(([name, { shape }]) => [name, shape]));
  return normalize(model, inferValues(model, { readConstant: read, inputShapes }), read);
}

/**
 * Runs a model with ONNX Runtime; graph optimisations off, so that every operator is computed as it stands. `folder`: where the files of its
 * weights are.
 */
export async function run(
  model: Model,
  feeds: Readonly<Record<string, Tensor>>,
  outputs: readonly string[],
  folder = '',
): Promise<readonly ort.Tensor[]> {
  const { bytes } = editModel(model, { outputs, keepOriginalOutputs: false, truncate: true });
  const session = await ort.InferenceSession.create(bytes, {
    graphOptimizationLevel: 'disabled',
    logSeverityLevel: 4,
    intraOpNumThreads: 1,
    extra: { session: { model_external_initializers_file_folder_path: folder } },
  });
  const given: Record<string, ort.Tensor> = {};
  for (const name of session.inputNames) {
    const tensor = feeds[name];
    if (tensor) given[name] = ortTensor(tensor);
  }
  const results = await session.run(given);
  await session.release();
  return outputs.map(name => {
    const result = results[name];
    if (!result) throw new Error(`no ${name}`);
    return result;
  });
}

function ortTensor({ dtype, shape, data }: Tensor): ort.Tensor {
  if (!ArrayBuffer.isView(data)) throw new Error('no texts here');
  return Reflect.construct(ort.Tensor, [dtype, data, shape]);
}

export const largest = (values: readonly number[]): number =>
  values.reduce((a, b) => Math.max(a, b), 0);

/** Largest difference of two lists of numbers, relative to the largest element; infinities have to be the same. */
export function difference(a: readonly number[], b: readonly number[]): number {
  const scale = Math.max(1e-6, largest(a.filter(Number.isFinite).map(Math.abs)));
  const apart = a.map((value, i) => {
    const other = b[i] ?? NaN;
    return value === other ? 0 : Math.abs(value - other) / scale;
  });
  return largest(apart.map(each => (Number.isNaN(each) ? Infinity : each)));
}

export function numeric(tensor: ort.Tensor | undefined): number[] {
  const data: unknown = tensor?.data;
  if (!isNumeric(data)) throw new Error('no numbers');
  return Array.from(data, Number);
}

const isNumeric = (data: unknown): data is ArrayLike<number | bigint> =>
  ArrayBuffer.isView(data) && !(data instanceof DataView);

/**
 * Checks that a node is written out as operators of ai.onnx (and those of `kept`) that give what ONNX Runtime's own operator gives: floats
 * within 1e-4 of the largest, integers within so many steps.
 */
export async function expectSame(
  given: NodeCase,
  kept: readonly string[] = [],
  { steps = 0 } = {},
): Promise<Normalized> {
  const { model, feeds, outputs } = madeOf(given);
  const normal = normalOf(model, feeds);
  expect(normal.changed).toBe(true);
  const foreign = normal.model.graph.nodes.filter(node => node.domain !== '').map(node => node.op);
  expect(foreign.filter(op => !kept.includes(op))).toEqual([]);
  const expected = await run(model, feeds, outputs);
  const got = await run(normal.model, feeds, outputs);
  outputs.forEach((name, i) => {
    const [a, b] = [expected[i], got[i]];
    expect([name, b?.type, b?.dims]).toEqual([name, a?.type, a?.dims]);
    const far =
      a?.type === 'float32'
        ? difference(numeric(a), numeric(b))
        : stepsApart(numeric(a), numeric(b));
    expect([name, far <= (a?.type === 'float32' ? 1e-4 : steps), far]).toEqual([name, true, far]);
  });
  return normal;
}

const stepsApart = (a: readonly number[], b: readonly number[]): number =>
  largest(a.map((value, i) => Math.abs(value - (b[i] ?? Infinity))));
