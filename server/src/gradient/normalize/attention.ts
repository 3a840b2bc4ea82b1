import type { Operators } from '../operators';
import type { Value } from '../value';

/** Queries [batch, heads, S, size], keys [batch, heads, T, size] and values [batch, heads, T, value size]. */
export interface Heads {
  readonly q: Value;
  readonly k: Value;
  readonly v: Value;
}

/** Attention with what comes up on the way to it; all but the context [batch, heads, S, T]. */
export interface Attended {
  /** scale · q kᵀ. */
  readonly scores: Value;
  /** With the bias added. */
  readonly biased: Value;
  readonly probabilities: Value;
  /** [batch, heads, S, value size]. */
  readonly context: Value;
}

/** Softmax(scale · q kᵀ + bias) v, softmax over keys (Vaswani et al. 2017, "Attention Is All You Need", section 3.2.1). */
export function attend(e: Operators, heads: Heads, scale: number, bias: Value | null): Attended {
  const scores = scoresOf(e, heads, scale);
  const biased = bias ? e.add(scores, bias) : scores;
  const probabilities = e.node('Softmax', [biased], { axis: 3 });
  return { scores, biased, probabilities, context: e.matMul(probabilities, heads.v) };
}

export const scoresOf = (e: Operators, { q, k }: Heads, scale: number): Value =>
  e.scale(e.matMul(q, e.swapLast(k)), scale);

/** [batch, S, heads · size] as [batch, heads, S, size]. */
export function splitHeads(e: Operators, x: Value, heads: number): Value {
  const [batch = 1, length = 1, width = 1] = x.shape;
  return e.transpose(e.reshape(x, [batch, length, heads, width / heads]), [0, 2, 1, 3]);
}

/** [batch, heads, S, size] as [batch, S, heads · size]. */
export function joinHeads(e: Operators, x: Value): Value {
  const [batch = 1, heads = 1, length = 1, size = 1] = x.shape;
  return e.reshape(e.transpose(x, [0, 2, 1, 3]), [batch, length, heads * size]);
}

/** Repeats each head, one after the other, so that there are `heads`: grouped queries share keys and values. */
export function repeatHeads(e: Operators, x: Value, heads: number): Value {
  const [batch = 1, own = 1, length = 1, size = 1] = x.shape;
  if (own === heads) return x;
  const single = e.reshape(x, [batch, own, 1, length, size]);
  const repeated = e.expand(single, [batch, own, heads / own, length, size]);
  return e.reshape(repeated, [batch, heads, length, size]);
}

/** Sum of what is there. */
export const added = (e: Operators, parts: readonly (Value | null)[]): Value | null => {
  const given = parts.filter(part => part !== null);
  return given.length === 0 ? null : e.sum(given);
};
