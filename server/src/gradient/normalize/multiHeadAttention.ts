import type { Operators } from '../operators';
import type { RuleNode } from '../rule';
import type { Value } from '../value';
import { added, attend, joinHeads, splitHeads, type Heads } from './attention';
import { causal, filled, LOWEST, maskBias } from './attentionMasks';
import type { Rewrite } from './rewrite';

/** com.microsoft.MultiHeadAttention, as ONNX Runtime's CPU kernel computes it. */
export const multiHeadAttention: Rewrite = {
  ops: ['com.microsoft.MultiHeadAttention'],
  write: (n, e) => {
    const count = n.int('num_heads', 0);
    const fresh = count > 0 ? headsOf(n, e, count) : null;
    if (!fresh) return null;
    const { q } = fresh;
    const k = grown(n, e, 6, fresh.k);
    const v = grown(n, e, 7, fresh.v);
    const [batch = 1, , length = 1, size = 1] = q.shape;
    const sizes = { batch, length, total: k.shape[2] ?? 1 };
    const before = n.has(6) ? (n.x(6).shape[2] ?? 0) : 0;
    const masked = n.has(4)
      ? maskBias(e, n.x(4), n.float('mask_filter_value', -10000), sizes)
      : null;
    if (n.has(4) && !masked) return null;
    const hidden =
      n.int('unidirectional', 0) !== 0
        ? filled(e, causal(e, sizes, e.floats('float32', [1], [before])), LOWEST)
        : null;
    const bias = added(e, [masked, hidden, n.has(5) ? n.x(5) : null]);
    const scale = n.float('scale', 0) || 1 / Math.sqrt(size);
    const { biased, context } = attend(e, { q, k, v }, scale, bias);
    return [joinHeads(e, context), k, v, biased];
  },
};

/** Keys or values behind those of the past. */
const grown = (n: RuleNode, e: Operators, past: number, fresh: Value): Value =>
  n.has(past) ? e.concat([n.x(past), fresh], 2) : fresh;

/**
 * By the form of the inputs: all in one [batch, S, heads, 3, size]; queries [batch, S, width] with keys and values in one [batch, T, heads, 2, size];
 * all three [batch, S or T, width]; or queries with keys and values that have their heads already, [batch, heads, T, size].
 */
function headsOf(n: RuleNode, e: Operators, count: number): Heads | null {
  const query = n.x(0);
  if (query.shape.length === 5) return packed(n, e, count, query);
  const key = n.has(1) ? n.x(1) : null;
  const width = query.shape[2] ?? 0;
  if (!key || query.shape.length !== 3 || width % count !== 0) return null;
  // a bias has parts for queries, keys and values, whatever of them comes projected
  const q = splitHeads(e, biasedPart(n, e, query, 0), count);
  if (key.shape.length === 5) {
    const [k, v] = taken(e, key, 2);
    if (!k || !v) return null;
    return { q, k: withBias(n, e, k, width), v: withBias(n, e, v, 2 * width) };
  }
  if (!n.has(2)) return null;
  const value = n.x(2);
  // they come from elsewhere, ready made: neither bias nor past belongs to them, and a cache's order is of no meaning
  if (key.shape.length === 4) return n.has(6) ? null : { q, k: key, v: value };
  if (n.has(8) || n.has(9) || (value.shape[2] ?? 0) % count !== 0) return null;
  return {
    q,
    k: splitHeads(e, biasedPart(n, e, key, width), count),
    v: splitHeads(e, biasedPart(n, e, value, 2 * width), count),
  };
}

function packed(n: RuleNode, e: Operators, count: number, query: Value): Heads | null {
  if (n.has(6) || query.shape[2] !== count) return null;
  const width = count * (query.shape[4] ?? 0);
  const [q, k, v] = taken(e, query, 3).map((part, i) => withBias(n, e, part, i * width));
  return q && k && v ? { q, k, v } : null;
}

/** [batch, T, heads, parts, size] as that many tensors [batch, heads, T, size]. */
function taken(e: Operators, x: Value, parts: number): readonly Value[] {
  const [batch = 1, length = 1, heads = 1, , size = 1] = x.shape;
  return Array.from({ length: parts }, (_, part) => {
    const one = e.slice(x, [part], [part + 1], [3]);
    return e.transpose(e.reshape(one, [batch, length, heads, size]), [0, 2, 1, 3]);
  });
}

/** [batch, S, width] with the elements of the bias from `start` on added. */
function biasedPart(n: RuleNode, e: Operators, x: Value, start: number): Value {
  if (!n.has(3)) return x;
  return e.add(x, e.slice(n.x(3), [start], [start + (x.shape[2] ?? 0)], [0]));
}

/** The same for [batch, heads, S, size]. */
function withBias(n: RuleNode, e: Operators, x: Value, start: number): Value {
  if (!n.has(3)) return x;
  const [, heads = 1, , size = 1] = x.shape;
  const part = e.slice(n.x(3), [start], [start + heads * size], [0]);
  return e.add(x, e.reshape(part, [heads, 1, size]));
}
