import type * as ort from 'onnxruntime-node';
import {
  differentiate,
  missingFacts,
  type Question,
  withEmitted,
} from '../../../server/src/gradient/differentiate';
import { withElements } from '../../../server/src/gradient/prepare';
import type { GradientMode } from '../../../server/src/gradient/rule';
import type { Value } from '../../../server/src/gradient/value';
import type { Model } from '../../../server/src/onnx/graph';
import type { InferredValues } from '../../../server/src/onnx/shapes/inferShapes';
import { floatsOf, runWith, sessionFor, tensorOf, typeOf } from './runtime';

/** A derivative to be checked: that of a weighted sum of `target` with respect to fed float tensors. */
export interface Check {
  readonly model: Model;
  /** The model whose values are compared, where `model` is another form of it. */
  readonly original?: Model;
  /** What is known before a run; a run tells the rest. */
  readonly facts: InferredValues;
  readonly feeds: ReadonlyMap<string, ort.Tensor>;
  readonly target: string;
  readonly withRespectTo: readonly string[];
  readonly mode?: GradientMode;
  /** Uniform in 0…1. */
  next(): number;
}

export interface DirectionalError {
  readonly name: string;
  /** |central difference − emitted gradient · direction| relative to the latter, or to what a direction has on average. */
  readonly error: number;
  /** False where the engine says that no path leads to the target: the difference then is compared with 0. */
  readonly emitted: boolean;
}

/**
 * Step sizes, tried in this order until one gives an error that leaves no doubt. Large ones drown the rounding of the forward runs, small
 * ones stay clear of kinks.
 */
const STEPS = [1e-1, 3e-2, 1e-2, 3e-3, 1e-3, 3e-4, 1e-4, 1e-5];
const DIRECTIONS = 3;

/**
 * Largest relative error of a float32 run: the projections are summed in float64 and the best step counts, so that what is left is the
 * rounding of the forward runs, at most about 2⁻²⁴ / step. A rule with a constant that is wrong by 2 % fails by two orders.
 */
export const TOLERANCE = 5e-4;
const NO_DOUBT = TOLERANCE / 10;

/**
 * What counts as no change at all, as a share of the weighted outputs' norm: about eight units in the last place of a float32, seen through
 * the largest step and the tolerance.
 */
const ROUNDING = (8 * 2 ** -24) / (0.1 * TOLERANCE);

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

/** Relative error of each input's directional derivative against central differences, in three random directions. */
export async function directionalErrors(check: Check): Promise<readonly DirectionalError[]> {
  const { model, feeds, target, next } = check;
  const facts = await completed(check);
  const backward = await backwardOf(check, facts);
  const forward = await sessionFor(check.original ?? model, [target]);
  const here = (await runWith(forward, feeds))[target];
  const shape = here?.dims ?? [];
  const errors: DirectionalError[] = [];
  for (let direction = 0; direction < DIRECTIONS; direction++) {
    // what is infinite here, or no number, has no derivative
    const weights = Array.from(floatsOf(here), value =>
      Number.isFinite(value) ? 2 * next() - 1 : 0,
    );
    const least = Math.max(1e-3, ROUNDING * weightedNorm(here, weights));
    const gradients = await backward(weights);
    for (const name of check.withRespectTo) {
      const x = floatsOf(feeds.get(name));
      const along = Array.from(x, () => 2 * next() - 1);
      const gradient = gradients.get(name) ?? null;
      const move = async (step: number): Promise<Move> => {
        const moved = Array.from(x, (value, i) => value + step * (along[i] ?? 0));
        const tensor = tensorOf(typeOf(feeds.get(name)), feeds.get(name)?.dims ?? [], moved);
        const result = (await runWith(forward, new Map([...feeds, [name, tensor]])))[target];
        const isComparable = result?.dims.join() === shape.join();
        return { x: floatsOf(tensor), value: isComparable ? dot(floatsOf(result), weights) : null };
      };
      const error = await bestError(move, gradient ?? new Float64Array(x.length), least);
      errors.push({ name, error, emitted: gradient !== null });
    }
  }
  return errors;
}

/** Where a step led, rounded as the input's type rounds it, and the weighted sum there; null where the target has another shape there. */
interface Move {
  readonly x: Float32Array | Float64Array;
  readonly value: number | null;
}

/** The smallest relative error over the step sizes; what is below `least` is no change. */
async function bestError(
  move: (step: number) => Promise<Move>,
  gradient: Float32Array | Float64Array,
  least: number,
): Promise<number> {
  let best = gradient.length === 0 ? 0 : Infinity;
  for (const step of STEPS) {
    if (best < NO_DOUBT) break;
    const [ahead, behind] = [await move(step), await move(-step)];
    if (ahead.value === null || behind.value === null) continue;
    const along = ahead.x.map((value, i) => (value - (behind.x[i] ?? 0)) / (2 * step));
    const analytic = dot(gradient, along);
    const typical = 0.05 * Math.sqrt(dot(gradient, gradient) * dot(along, along));
    const scale = Math.max(Math.abs(analytic), typical, least);
    const difference = (ahead.value - behind.value) / (2 * step);
    const error = Math.abs(difference - analytic) / scale;
    // a step may lead out of where the operator is defined
    if (!Number.isNaN(error)) best = Math.min(best, error);
  }
  return best;
}

/** √Σ (weight · value)² of a float32 tensor; float64 is not rounded to speak of. */
function weightedNorm(tensor: ort.Tensor | undefined, weights: readonly number[]): number {
  if (tensor?.type !== 'float32') return 0;
  const values = Array.from(floatsOf(tensor), (value, i) =>
    weights[i] === 0 ? 0 : (weights[i] ?? 0) * value,
  );
  return Math.sqrt(dot(values, values));
}

type Gradients = ReadonlyMap<string, Float32Array | Float64Array>;

/** What gives the gradients for weights of the target's elements; tensors from which no path leads to the target are not among them. */
async function backwardOf(
  check: Check,
  facts: InferredValues,
): Promise<(weights: readonly number[]) => Promise<Gradients>> {
  const seeds: Value[] = [];
  const { e, gradients } = differentiate(
    check.model,
    facts,
    questionOf(check),
    (emitter, { dtype, shape }) => {
      const seed = emitter.input('seed', dtype, shape);
      seeds.push(seed);
      return seed;
    },
  );
  const [seed] = seeds;
  if (!seed) throw new Error('no seed');
  const outputs = [...gradients].flatMap(([name, value]) =>
    value ? [[name, value.name] as const] : [],
  );
  if (outputs.length === 0) return () => Promise.resolve(new Map());
  const extended = withEmitted(check.model, e, seeds);
  const session = await sessionFor(
    extended,
    outputs.map(([, output]) => output),
  );
  return async weights => {
    const fed = tensorOf(seed.dtype, seed.shape, weights);
    const result = await runWith(session, new Map([...check.feeds, [seed.name, fed]]));
    return new Map(outputs.map(([name, output]) => [name, floatsOf(result[output])]));
  };
}

const questionOf = ({ target, withRespectTo, mode }: Check): Question => ({
  target,
  withRespectTo,
  mode: mode ?? 'gradient',
});

/** The facts, with what only a run tells. */
async function completed(check: Check): Promise<InferredValues> {
  const { model, facts, feeds } = check;
  const missing = missingFacts(model.graph, facts, questionOf(check));
  const names = [...new Set([...missing.shapes, ...missing.elements])];
  const unfed = names.filter(name => !feeds.has(name));
  const run = unfed.length === 0 ? {} : await runWith(await sessionFor(model, unfed), feeds);
  const shapes = new Map(facts.shapes);
  const elements = new Map<string, readonly number[]>();
  for (const name of names) {
    const tensor = feeds.get(name) ?? run[name];
    if (!tensor) throw new Error(`the run does not give ${name}`);
    shapes.set(name, { name, dtype: typeOf(tensor), shape: [...tensor.dims] });
    if (missing.elements.includes(name)) elements.set(name, numbersOf(tensor));
  }
  return withElements({ ...facts, shapes }, elements);
}

function numbersOf({ data }: ort.Tensor): readonly number[] {
  if (data instanceof BigInt64Array) return Array.from(data, Number);
  if (data instanceof Int32Array || data instanceof Float32Array || data instanceof Uint8Array)
    return Array.from(data);
  throw new Error('these elements are no amounts');
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) if (b[i] !== 0) sum += (a[i] ?? 0) * (b[i] ?? 0);
  return sum;
};
