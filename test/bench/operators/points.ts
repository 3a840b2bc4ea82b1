import type * as ort from 'onnxruntime-node';
import { floatsOf, runWith, tensorOf } from '../../unit/gradient/runtime';

export type Feeds = ReadonlyMap<string, ort.Tensor>;

/** Float outputs of a run, by name. */
export type Values = ReadonlyMap<string, ort.Tensor>;

/** Float outputs for these inputs. */
export async function valuesAt(
  session: ort.InferenceSession,
  targets: readonly string[],
  feeds: Feeds,
): Promise<Values> {
  const result = await runWith(session, feeds);
  return new Map(
    targets.map(name => {
      const tensor = result[name];
      if (!tensor) throw new Error(`the run does not give ${name}`);
      return [name, tensor];
    }),
  );
}

/** A number that is added to an input element: uniform in low…high, times 0.05 + |x| / 100. */
export interface Spread {
  readonly low: number;
  readonly high: number;
}

/**
 * Ways of moving away from kinks and ties, in the order in which they are tried. Upwards and downwards only: for inputs at the border of
 * where an operator is defined. Not at all: for inputs that nothing may be added to.
 */
export const SPREADS: readonly Spread[] = [
  { low: -1, high: 1 },
  { low: -1, high: 1 },
  { low: 0, high: 1 },
  { low: -1, high: 0 },
  { low: -0.1, high: 0.1 },
  { low: 0, high: 0 },
];

/** The feeds with these inputs moved; infinities and what is no number become random numbers. */
export const moved = (
  feeds: Feeds,
  names: readonly string[],
  { low, high }: Spread,
  next: () => number,
): Feeds =>
  new Map(
    [...feeds].map(([name, tensor]) => {
      if (!names.includes(name)) return [name, tensor];
      const values = Array.from(floatsOf(tensor), x =>
        Number.isFinite(x)
          ? x + (low + (high - low) * next()) * (0.05 + Math.abs(x) / 100)
          : next(),
      );
      const dtype = tensor.type === 'float64' ? 'float64' : 'float32';
      return [name, tensorOf(dtype, tensor.dims, values)];
    }),
  );

/** Whether all values are the same, bit for bit but for the signs of zeros. */
export const equalValues = (a: Values, b: Values): boolean =>
  [...a].every(([name, tensor]) => {
    const [one, other] = [floatsOf(tensor), floatsOf(b.get(name))];
    return (
      one.length === other.length &&
      one.every((value, i) => value === other[i] || (Number.isNaN(value) && Number.isNaN(other[i])))
    );
  });

/** Whether values are finite where others are; where they have another shape, all of them. */
export const comparable = (values: Values, others: Values): boolean =>
  [...values].every(([name, tensor]) => {
    const other = others.get(name);
    const before = tensor.dims.join() === other?.dims.join() ? floatsOf(other) : null;
    return floatsOf(tensor).every(
      (value, i) => Number.isFinite(value) || (before !== null && !Number.isFinite(before[i])),
    );
  });
