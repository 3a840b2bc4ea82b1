import type { Operators } from '../operators';
import type { RuleNode } from '../rule';
import type { Value } from '../value';
import { added, joinHeads, repeatHeads, scoresOf, splitHeads, type Heads } from './attention';
import { causal, filled, LOWEST, within, type AttentionSizes } from './attentionMasks';
import type { Rewrite } from './rewrite';

/** Attention (since version 23), as ONNX Runtime's CPU kernel computes it: softmax(mask + cap(scale · q kᵀ)) v. */
export const standardAttention: Rewrite = {
  ops: ['Attention'],
  write: (n, e) => {
    const heads = headsOf(n, e);
    if (!heads) return null;
    const { q, k, v } = heads;
    const [batch = 1, count = 1, length = 1, size = 1] = q.shape;
    const sizes = { batch, length, total: k.shape[2] ?? 1 };
    const mask = n.has(3) ? n.x(3) : null;
    if (mask && mask.shape.at(-1) !== sizes.total) return null;

    const scale = n.float('scale', 0) || 1 / Math.sqrt(size);
    const repeated = { q, k: repeatHeads(e, k, count), v: repeatHeads(e, v, count) };
    const scores = scoresOf(e, repeated, scale);
    const capped = softCapped(e, scores, n.float('softcap', 0));
    const allowed = allowedPairs(n, e, mask, sizes);
    const numbers = mask?.dtype === 'bool' ? null : mask;
    const bias = added(e, [numbers, allowed && filled(e, allowed, LOWEST)]);
    const biased = bias ? e.add(capped, bias) : capped;
    const softmax = e.node('Softmax', [biased], { axis: 3 });
    // a query that may attend to no key gets zeros
    const empty = allowed !== null && (mask?.dtype === 'bool' || n.has(6));
    const probabilities = empty ? e.mul(softmax, e.asNumber(allowed, softmax.dtype)) : softmax;
    const context = e.matMul(probabilities, repeated.v);
    const shown = [scores, capped, biased, probabilities][n.int('qk_matmul_output_mode', 0)];
    const output = n.x(0).shape.length === 3 ? joinHeads(e, context) : context;
    return [output, k, v, shown ?? null];
  },
};

/** The inputs by head, keys and values behind those of the past; null where the model does not say how many heads there are. */
function headsOf(n: RuleNode, e: Operators): Heads | null {
  const flat = n.x(0).shape.length === 3;
  const pairs = flat ? n.int('kv_num_heads', 0) : (n.x(1).shape[1] ?? 0);
  const count = flat ? n.int('q_num_heads', 0) : (n.x(0).shape[1] ?? 0);
  if (pairs <= 0 || count <= 0 || count % pairs !== 0) return null;
  const byHead = (index: number, of: number): Value =>
    flat ? splitHeads(e, n.x(index), of) : n.x(index);
  const grown = (past: number, fresh: Value): Value =>
    n.has(past) ? e.concat([n.x(past), fresh], 2) : fresh;
  return { q: byHead(0, count), k: grown(4, byHead(1, pairs)), v: grown(5, byHead(2, pairs)) };
}

/** cap · tanh(x / cap). */
export const softCapped = (e: Operators, x: Value, cap: number): Value =>
  cap === 0 ? x : e.scale(e.node('Tanh', [e.scale(x, 1 / cap)]), cap);

/**
 * Which query may attend to which key: where the mask says so; of the keys that are no padding (input 6, how many by batch, since version 24); of
 * those up to the query's own, of which the last query has the last one that is no padding. Null: all.
 */
function allowedPairs(
  n: RuleNode,
  e: Operators,
  mask: Value | null,
  sizes: AttentionSizes,
): Value | null {
  const keys = n.has(6) ? e.cast(n.x(6), 'float32') : null;
  const past = n.has(4) ? (n.x(4).shape[2] ?? 0) : 0;
  const before =
    keys && !n.has(4) ? e.offset(keys, -sizes.length) : e.floats('float32', [1], [past]);
  const parts = [
    mask?.dtype === 'bool' ? mask : null,
    keys && within(e, keys, null, sizes.total),
    n.int('is_causal', 0) !== 0 ? causal(e, sizes, before) : null,
  ].filter(part => part !== null);
  return parts.length === 0 ? null : parts.reduce((a, b) => e.and(a, b));
}
