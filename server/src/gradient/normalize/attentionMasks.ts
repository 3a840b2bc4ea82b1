import type { Operators } from '../operators';
import type { Value } from '../value';

/** What scores of forbidden pairs become, where the operator does not say: the lowest float32. */
export const LOWEST = -3.4028234663852886e38;

/** Sizes of one attention. */
export interface AttentionSizes {
  readonly batch: number;
  /** Queries. */
  readonly length: number;
  /** Keys, past ones included. */
  readonly total: number;
}

/**
 * What the mask of an attention of com.microsoft adds to the scores, of a shape that broadcasts to [batch, heads, length, total]: `filter`
 * where a key is masked, else 0. The mask: [batch, total] or [batch, length, total] with numbers above 0 for keys that count; [batch] with
 * the number of keys; [2 · batch] with exclusive ends, then starts. Null for other forms, which the operator does not take on the CPU.
 */
export function maskBias(
  e: Operators,
  mask: Value,
  filter: number,
  { batch, length, total }: AttentionSizes,
): Value | null {
  const numbers = e.cast(mask, 'float32');
  const { shape } = mask;
  const [first, second, third] = shape;
  if (shape.length === 1 && first === batch)
    return filled(e, within(e, numbers, null, total), filter);
  if (shape.length === 1 && first === 2 * batch) {
    const ends = e.slice(numbers, [0], [batch], [0]);
    const starts = e.slice(numbers, [batch], [2 * batch], [0]);
    return filled(e, within(e, ends, starts, total), filter);
  }
  const rows = shape.length === 2 ? 1 : length;
  const fits =
    first === batch &&
    (shape.length === 2 ? second === total : second === length && third === total);
  if (!fits || shape.length > 3) return null;
  const counts = e.greater(numbers, e.scalar(numbers, 0));
  return filled(e, e.reshape(counts, [batch, 1, rows, total]), filter);
}

/** Keys from `starts` up to `ends`, each [batch]: a mask [batch, 1, 1, total]. */
export function within(e: Operators, ends: Value, starts: Value | null, total: number): Value {
  const [batch = 1] = ends.shape;
  const each = (bounds: Value): Value => e.reshape(bounds, [batch, 1, 1, 1]);
  const places = positions(e, [1, 1, 1, total]);
  const before = e.less(places, each(ends));
  return starts ? e.and(before, e.not(e.less(places, each(starts)))) : before;
}

/** 0 where the mask holds, else this value. */
export const filled = (e: Operators, mask: Value, value: number): Value =>
  e.masked(e.floats('float32', [], [value]), e.not(mask));

/** A mask [batch or 1, 1, length, total]: key j for query i where j ≤ i + offset, of which there is one for each batch or one. */
export function causal(e: Operators, { length, total }: AttentionSizes, offset: Value): Value {
  const [batch = 1] = offset.shape;
  const last = e.add(positions(e, [1, 1, length, 1]), e.reshape(offset, [batch, 1, 1, 1]));
  return e.not(e.greater(positions(e, [1, 1, 1, total]), last));
}

/** A mask [1, 1, length, total]: key j for query i where j > i + offset. */
export function recent(e: Operators, { length, total }: AttentionSizes, offset: number): Value {
  const first = e.offset(positions(e, [1, 1, length, 1]), offset);
  return e.greater(positions(e, [1, 1, 1, total]), first);
}

/** 0, 1, … as float32: older versions compare nothing else. */
export function positions(e: Operators, shape: readonly number[]): Value {
  const count = shape.reduce((a, b) => a * b, 1);
  return e.floats('float32', shape, [...Array(count).keys()]);
}
