import * as ort from 'onnxruntime-node';
import { expect } from 'vitest';
import type { DataType } from '../../../protocol/model';
import { differentiate, withEmitted } from '../../../server/src/gradient/differentiate';
import type { GradientMode } from '../../../server/src/gradient/rule';
import type { Value } from '../../../server/src/gradient/value';
import { editModel } from '../../../server/src/onnx/editModel';
import type { Attribute, Model, TensorRef } from '../../../server/src/onnx/graph';
import { inferValues } from '../../../server/src/onnx/shapes/inferShapes';
import { graphOf, modelOf, nodeOf, readSmall, valueOf } from '../shapes/smallGraphs';

/** A tensor of a case: its shape, and its values where they are not random numbers. */
export interface CaseTensor {
  readonly shape: readonly number[];
  readonly dtype?: DataType;
  readonly values?: readonly number[];
  /** Stored in the model instead of being fed. */
  readonly constant?: boolean;
  /** Random values lie between these (−1 and 1 by default). */
  readonly from?: number;
  readonly to?: number;
}

export interface VjpCase {
  readonly inputs: readonly (CaseTensor | null)[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
  /** Outputs of the node; 1 by default. The first `differentiated` count. */
  readonly outputs?: number;
  /** Which output's weighted sum is differentiated; 0 by default. */
  readonly output?: number;
  readonly opset: number;
  readonly domain?: string;
  /** Opset of the domain. */
  readonly domainVersion?: number;
  /** Inputs whose gradient is checked; all fed float inputs by default. */
  readonly check?: readonly number[];
  /** Values that random inputs keep clear of (kinks), and how far: no step may cross one. */
  readonly avoid?: readonly number[];
  readonly mode?: GradientMode;
  readonly seed?: number;
}

/** Values around a point; multiplied with the step sizes below they stay in the smooth part of what is checked. */
const STEPS = [1e-1, 3e-2, 1e-2, 3e-3, 1e-3];

/**
 * Largest relative error of a float32 run: the projections are summed in float64 and the best of five steps counts, so that what is left is
 * the rounding of the forward runs, at most about 2⁻²⁴ / step. A rule with a constant that is wrong by 2 % fails by two orders.
 */
export const TOLERANCE = 5e-4;

/** Mulberry32: the same numbers for the same seed. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

type Feed = Record<string, ort.Tensor>;
const count = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

function arrayOf(dtype: DataType, values: readonly number[]): ort.Tensor.DataType {
  switch (dtype) {
    case 'float64':
      return Float64Array.from(values);
    case 'int64':
      return BigInt64Array.from(values, BigInt);
    case 'int32':
      return Int32Array.from(values);
    case 'uint8':
    case 'bool':
      return Uint8Array.from(values);
    case 'int8':
      return Int8Array.from(values);
    default:
      return Float32Array.from(values);
  }
}

function bytesOf(data: ort.Tensor.DataType): Uint8Array {
  if (!ArrayBuffer.isView(data)) throw new Error('no text here');
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function valuesOf(tensor: CaseTensor, next: () => number, avoid: readonly number[]): number[] {
  if (tensor.values) return [...tensor.values];
  const { from = -1, to = 1 } = tensor;
  return Array.from({ length: count(tensor.shape) }, () => {
    for (;;) {
      const value = from + (to - from) * next();
      if (avoid.every(point => Math.abs(value - point) > 0.15)) return value;
    }
  });
}

const isFloatType = (dtype: DataType | undefined): boolean =>
  dtype === undefined || dtype === 'float32' || dtype === 'float64';

/** A file that says only its IR version, 10: the rest is written by `editModel`. */
const HEADER = {
  source: { name: 'made.onnx', size: 2, read: () => Uint8Array.of(0x08, 10) },
  headerSpans: [{ offset: 0, length: 2 }],
};

/** A model of this one node; what is not constant is a graph input `x0`, `x1`, … */
export function oneNodeModel(
  op: string,
  given: VjpCase,
  values: readonly (readonly number[])[],
): Model {
  const names = given.inputs.map((input, i) => (input ? `x${i}` : ''));
  const outputs = Array.from({ length: given.outputs ?? 1 }, (_, i) => `y${i}`);
  const initializers = new Map<string, TensorRef>();
  given.inputs.forEach((input, i) => {
    if (!input?.constant) return;
    const dtype = input.dtype ?? 'float32';
    const bytes = bytesOf(arrayOf(dtype, values[i] ?? []));
    const name = `x${i}`;
    initializers.set(name, {
      name,
      dtype,
      shape: input.shape,
      location: { kind: 'bytes', bytes },
      span: null,
    });
  });
  const attributes = new Map(Object.entries(given.attributes ?? {}));
  const graph = graphOf({
    name: 'case',
    nodes: [nodeOf(0, op, names, outputs, attributes, { domain: given.domain ?? '' })],
    inputs: given.inputs.flatMap((input, i) =>
      input && !input.constant ? [valueOf(`x${i}`, input.dtype ?? 'float32', input.shape)] : [],
    ),
    outputs: outputs.map(name => valueOf(name, 'undefined', null)),
    initializers,
  });
  const model: Model = { ...modelOf(graph, given.opset), ...HEADER };
  return given.domain
    ? {
        ...model,
        opsets: new Map([
          ['', given.opset],
          [given.domain, given.domainVersion ?? 1],
        ]),
      }
    : { ...model, opsets: new Map([['', given.opset]]) };
}

async function session(model: Model, outputs: readonly string[]): Promise<ort.InferenceSession> {
  const { bytes } = editModel(model, { outputs, keepOriginalOutputs: false, truncate: true });
  return ort.InferenceSession.create(bytes, {
    graphOptimizationLevel: 'basic',
    logSeverityLevel: 4,
    intraOpNumThreads: 1,
  });
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
};

function numbers(tensor: ort.Tensor | undefined): Float32Array | Float64Array {
  const data: unknown = tensor?.data;
  if (data instanceof Float32Array || data instanceof Float64Array) return data;
  throw new Error(`no float tensor but ${tensor?.type}`);
}

/** Relative error of each checked input's directional derivative against central differences, in three random directions. */
export async function vjpErrors(op: string, given: VjpCase): Promise<number[]> {
  const next = random(given.seed ?? 1);
  const values = given.inputs.map(input => (input ? valuesOf(input, next, given.avoid ?? []) : []));
  const model = oneNodeModel(op, given, values);
  const facts = inferValues(model, { readConstant: readSmall });
  const target = `y${given.output ?? 0}`;
  const checked =
    given.check ??
    given.inputs.flatMap((input, i) =>
      input && !input.constant && isFloatType(input.dtype) ? [i] : [],
    );
  const holder: { seed?: Value } = {};
  const { e, gradients } = differentiate(
    model,
    facts,
    { target, withRespectTo: checked.map(i => `x${i}`), mode: given.mode ?? 'gradient' },
    (emit, value) => (holder.seed = emit.input('seed', value.dtype, value.shape)),
  );
  const seed = holder.seed;
  if (!seed) throw new Error('no seed');
  const outputs = checked.map(i => gradients.get(`x${i}`)?.name ?? '');
  if (outputs.includes('')) throw new Error(`no gradient for an input of ${op}`);
  const backward = await session(withEmitted(model, e, [seed]), [target, ...outputs]);
  const forward = await session(model, [target]);
  const feeds: Feed = {};
  given.inputs.forEach((input, i) => {
    if (!input || input.constant) return;
    const dtype = input.dtype ?? 'float32';
    feeds[`x${i}`] = new ort.Tensor(
      dtype as 'float32',
      arrayOf(dtype, values[i] ?? []) as Float32Array,
      input.shape,
    );
  });
  const only = (names: readonly string[], all: Feed): Feed =>
    Object.fromEntries(Object.entries(all).filter(([name]) => names.includes(name)));
  const run = async (changed: Feed): Promise<Float32Array | Float64Array> =>
    numbers((await forward.run(only(forward.inputNames, { ...feeds, ...changed })))[target]);
  const shape = facts.shapes.get(target)?.shape?.map(Number) ?? [];
  const errors: number[] = [];
  for (let direction = 0; direction < 3; direction++) {
    const weights = Array.from({ length: count(shape) }, () => 2 * next() - 1);
    const seeds = new ort.Tensor(
      seed.dtype as 'float32',
      arrayOf(seed.dtype, weights) as Float32Array,
      shape,
    );
    const result = await backward.run(only(backward.inputNames, { ...feeds, [seed.name]: seeds }));
    for (const [k, i] of checked.entries()) {
      const dtype = given.inputs[i]?.dtype ?? 'float32';
      const x = values[i] ?? [];
      const along = x.map(() => 2 * next() - 1);
      const gradient = numbers(result[outputs[k] ?? '']);
      const analytic = dot(gradient, along);
      const scale = Math.max(
        Math.abs(analytic),
        0.05 * Math.sqrt(dot(gradient, gradient) * dot(along, along)),
        1e-3,
      );
      let best = Infinity;
      for (const step of STEPS) {
        const at = async (h: number): Promise<number> =>
          dot(
            await run({
              [`x${i}`]: new ort.Tensor(
                dtype as 'float32',
                arrayOf(
                  dtype,
                  x.map((v, j) => v + h * (along[j] ?? 0)),
                ) as Float32Array,
                given.inputs[i]?.shape ?? [],
              ),
            }),
            weights,
          );
        const difference = ((await at(step)) - (await at(-step))) / (2 * step);
        best = Math.min(best, Math.abs(difference - analytic) / scale);
      }
      errors.push(best);
    }
  }
  return errors;
}

/** Checks a rule against central differences (see `vjpErrors`). */
export async function checkVjp(op: string, given: VjpCase): Promise<void> {
  const errors = await vjpErrors(op, given);
  expect(errors.length).toBeGreaterThan(0);
  for (const error of errors) expect(error).toBeLessThan(TOLERANCE);
}
