import type { Operators } from '../operators';
import type { RuleNode } from '../rule';
import type { Value } from '../value';
import { added, attend, joinHeads, splitHeads } from './attention';
import { causal, filled, LOWEST, maskBias } from './attentionMasks';
import type { Rewrite } from './rewrite';

/** What an attention that projects its input itself works with. */
export interface PackedInputs {
  /** [batch, S, in]. */
  readonly input: Value;
  /** [in, q + k + v widths]. */
  readonly weights: Value;
  readonly bias: Value | null;
  readonly mask: Value | null;
  /** [2, batch, heads, P, size]. */
  readonly past: Value | null;
  readonly attentionBias: Value | null;
}

/** com.microsoft.Attention, as ONNX Runtime's CPU kernel computes it. Rotary embedding and shared buffers are not written out. */
export const packedAttention: Rewrite = {
  ops: ['com.microsoft.Attention'],
  write: (n, e) => {
    if (n.has(6)) return null;
    const optional = (index: number): Value | null => (n.has(index) ? n.x(index) : null);
    return writePacked(n, e, {
      input: n.x(0),
      weights: n.x(1),
      bias: optional(2),
      mask: optional(3),
      past: optional(4),
      attentionBias: optional(5),
    });
  },
};

/** The outputs of com.microsoft.Attention: [batch, S, v width] and the keys and values with the past ones, [2, batch, heads, T, size]. */
export function writePacked(
  n: RuleNode,
  e: Operators,
  given: PackedInputs,
): readonly Value[] | null {
  const heads = n.int('num_heads', 0);
  const widths = widthsOf(n, given.weights);
  const rotates = n.int('do_rotary', 0) !== 0 || n.int('past_present_share_buffer', 0) !== 0;
  if (rotates || heads <= 0 || widths.some(width => width % heads !== 0)) return null;
  const [batch = 1, length = 1] = given.input.shape;
  const before = given.past?.shape[3] ?? 0;
  const sizes = { batch, length, total: before + length };
  const filter = n.float('mask_filter_value', -10000);
  const masked = given.mask && maskBias(e, given.mask, filter, sizes);
  if (given.mask && !masked) return null;
  const hidden =
    n.int('unidirectional', 0) !== 0
      ? filled(e, causal(e, sizes, e.floats('float32', [1], [before])), LOWEST)
      : null;

  const [q, ...fresh] = projections(e, given, widths).map(each => splitHeads(e, each, heads));
  const [k, v] = fresh.map((each, i) => withPast(e, each, given.past, i));
  if (!q || !k || !v) return null;
  const scale = n.float('scale', 0) || 1 / Math.sqrt(q.shape[3] ?? 1);
  const { context } = attend(
    e,
    { q, k, v },
    scale,
    added(e, [masked, hidden, given.attentionBias]),
  );
  const output = joinHeads(e, context);
  if (!n.gives(1)) return [output];
  return [
    output,
    e.concat(
      [k, v].map(each => e.reshape(each, [1, ...each.shape])),
      0,
    ),
  ];
}

function widthsOf(n: RuleNode, weights: Value): readonly number[] {
  const third = (weights.shape[1] ?? 0) / 3;
  return n.ints('qkv_hidden_sizes') ?? [third, third, third];
}

/** Input · weights + bias for queries, keys and values, from slices of the weights, which ONNX Runtime cuts when it loads the model. */
function projections(
  e: Operators,
  { input, weights, bias }: PackedInputs,
  widths: readonly number[],
): readonly Value[] {
  let start = 0;
  return widths.map(width => {
    const [from, to] = [start, start + width];
    start = to;
    const product = e.matMul(input, e.slice(weights, [from], [to], [1]));
    return bias ? e.add(product, e.slice(bias, [from], [to], [0])) : product;
  });
}

/** Part `index` of the past, then the fresh ones. */
function withPast(e: Operators, fresh: Value, past: Value | null, index: number): Value {
  // a past of no length cannot be reshaped: a size of 0 means another thing there
  if (!past || past.shape[3] === 0) return fresh;
  const part = e.slice(past, [index], [index + 1], [0]);
  return e.concat([e.reshape(part, past.shape.slice(1)), fresh], 2);
}
