import type { Operators } from '../operators';
import type { RuleNode } from '../rule';
import type { Value } from '../value';
import { joinHeads, repeatHeads, scoresOf, splitHeads, type Heads } from './attention';
import { causal, filled, LOWEST, recent } from './attentionMasks';
import type { Rewrite } from './rewrite';
import { rotated, type Rotation } from './rotaryEmbedding';
import { softCapped } from './standardAttention';

/**
 * com.microsoft.GroupQueryAttention, as ONNX Runtime's CPU kernel computes it for sequences of one length: queries look at keys up to their own
 * place, or at the last few of those. Buffers that past and present share, sinks and the smooth softmax are not written out.
 */
export const groupQueryAttention: Rewrite = {
  ops: ['com.microsoft.GroupQueryAttention'],
  write: (n, e) => {
    const past = n.has(3) ? (n.x(3).shape[2] ?? 0) : 0;
    const given = headsOf(n, e);
    const turned = given && turnedByPlace(n, e, given, past);
    if (!turned || n.int('smooth_softmax', 0) > 0 || n.has(11)) return null;
    const [batch = 1, count = 1, length = 1, size = 1] = turned.q.shape;
    const sizes = { batch, length, total: past + length };
    const [stated] = n.numbers(6) ?? [];
    if (stated !== undefined && stated !== sizes.total) return null;

    const k = past > 0 ? e.concat([n.x(3), turned.k], 2) : turned.k;
    const v = past > 0 ? e.concat([n.x(4), turned.v], 2) : turned.v;
    const repeated = { q: turned.q, k: repeatHeads(e, k, count), v: repeatHeads(e, v, count) };
    const scores = scoresOf(e, repeated, n.float('scale', 0) || 1 / Math.sqrt(size));
    const capped = softCapped(e, scores, n.float('softcap', 0));
    const biased = n.has(10) ? e.add(capped, n.x(10)) : capped;
    const seen = causal(e, sizes, e.floats('float32', [1], [past]));
    const window = n.int('local_window_size', -1);
    const near = window < 0 ? seen : e.and(seen, recent(e, sizes, past - window));
    const masked = e.add(biased, filled(e, near, LOWEST));
    const probabilities = e.node('Softmax', [masked], { axis: 3 });
    const context = e.matMul(probabilities, repeated.v);
    return [joinHeads(e, context), k, v, n.int('qk_output', 0) === 2 ? probabilities : biased];
  },
};

/** Queries, keys and values by head, from three inputs or from one that holds all of them side by side. */
function headsOf(n: RuleNode, e: Operators): Heads | null {
  const count = n.int('num_heads', 0);
  const pairs = n.int('kv_num_heads', 0);
  const query = n.x(0);
  if (count <= 0 || pairs <= 0 || count % pairs !== 0 || query.shape.length !== 3) return null;
  if (n.has(1) && n.has(2))
    return {
      q: splitHeads(e, query, count),
      k: splitHeads(e, n.x(1), pairs),
      v: splitHeads(e, n.x(2), pairs),
    };
  const size = (query.shape[2] ?? 0) / (count + 2 * pairs);
  if (n.has(1) || n.has(2) || !Number.isInteger(size)) return null;
  const part = (from: number, heads: number): Value =>
    splitHeads(e, e.slice(query, [from * size], [(from + heads) * size], [2]), heads);
  return { q: part(0, count), k: part(count, pairs), v: part(count + pairs, pairs) };
}

/** Queries and keys turned by their places, which count on from the past; null where places are given in another way. */
function turnedByPlace(n: RuleNode, e: Operators, heads: Heads, past: number): Heads | null {
  if (n.int('do_rotary', 0) === 0) return heads;
  if (!n.has(7) || !n.has(8)) return null;
  const length = heads.q.shape[2] ?? 1;
  const table = (index: number): Value => {
    if (n.has(9)) return e.node('Gather', [n.x(index), n.x(9)]);
    const rows = e.slice(n.x(index), [past], [past + length], [0]);
    return e.reshape(rows, [1, ...rows.shape]);
  };
  const rotation: Rotation = {
    cos: table(7),
    sin: table(8),
    interleaved: n.int('rotary_interleaved', 0) !== 0,
  };
  const q = rotated(e, heads.q, heads.q.shape[1] ?? 1, rotation);
  const k = rotated(e, heads.k, heads.k.shape[1] ?? 1, rotation);
  return q && k && { q, k, v: heads.v };
}
