import type { Operators } from '../operators';
import type { RuleNode } from '../rule';
import type { Value } from '../value';
import { added, attend, joinHeads, splitHeads } from './attention';
import { causal, filled, LOWEST, maskBias, positions } from './attentionMasks';
import type { Rewrite } from './rewrite';

/**
 * com.microsoft.DecoderMaskedMultiHeadAttention, as ONNX Runtime's CPU kernel computes it: one query of a decoder with keys and values of an encoder,
 * [batch, heads, T, size], or with buffers [batch, heads, most, size] of past ones that the new ones are written into. Beams are not written out.
 */
export const decoderMaskedAttention: Rewrite = {
  ops: ['com.microsoft.DecoderMaskedMultiHeadAttention'],
  write: (n, e) => {
    const count = n.int('num_heads', 0);
    const width = n.x(0).shape[2] ?? 0;
    if (n.has(9) || count <= 0 || width % count !== 0 || !n.has(1) || !n.has(2)) return null;
    const given = { count, width };
    const k = byHead(n, e, 1, given);
    const v = byHead(n, e, 2, given);
    if (!k || !v) return null;
    const q = splitHeads(e, biased(n, e, n.x(0), 0), count);
    const [batch = 1, , length = 1, size = 1] = q.shape;
    const sizes = { batch, length, total: k.shape[2] ?? 1 };
    const masked = n.has(3)
      ? maskBias(e, n.x(3), n.float('mask_filter_value', -10000), sizes)
      : null;
    if (n.has(3) && !masked) return null;
    const hidden = n.has(5) ? filled(e, causal(e, sizes, pastLength(n, e)), LOWEST) : null;
    const scale = n.float('scale', 0) || 1 / Math.sqrt(size);
    const bias = added(e, [masked, hidden, n.has(4) ? n.x(4) : null]);
    const attended = attend(e, { q, k, v }, scale, bias);
    return [joinHeads(e, attended.context), k, v, attended.biased];
  },
};

/** Keys (input 1) or values (2): ready made with their heads, or new ones in the buffer of the past. */
function byHead(
  n: RuleNode,
  e: Operators,
  index: 1 | 2,
  { count, width }: { readonly count: number; readonly width: number },
): Value | null {
  const given = n.x(index);
  if (given.shape.length === 4) return given;
  const fresh = splitHeads(e, biased(n, e, given, index * width), count);
  const past = 4 + index;
  if (!n.has(past)) return fresh;
  if (!n.has(7) || n.int('past_present_share_buffer', 0) === 0) return null;
  const buffer = n.x(past);
  const places = positions(e, [1, 1, buffer.shape[2] ?? 1, 1]);
  const isNew = e.equal(places, e.reshape(pastLength(n, e), [1, 1, 1, 1]));
  return e.select(isNew, fresh, buffer);
}

const pastLength = (n: RuleNode, e: Operators): Value => e.reshape(e.cast(n.x(7), 'float32'), [1]);

/** [batch, S, width] with the elements of the bias from `start` on added. */
const biased = (n: RuleNode, e: Operators, x: Value, start: number): Value =>
  n.has(10) ? e.add(x, e.slice(n.x(10), [start], [start + (x.shape[2] ?? 0)], [0])) : x;
