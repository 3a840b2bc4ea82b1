import type { DataType, Dimension } from '../../../../../protocol/model';
import { dividedBy, plus, type Shape, times } from '../dimensions';
import { type NodeView, type Rule, tensor, type Value } from '../rule';

/** com.microsoft.Attention and QAttention: input [batch, sequence, in], weight [in, 3 · hidden] or `qkv_hidden_sizes`. */
export const packedAttention: Rule = node => {
  const [batch, sequence] = [node.sizeAt(0, 0), node.sizeAt(0, 1)];
  const sizes = node.ints('qkv_hidden_sizes');
  const hidden: Dimension = sizes?.[2] ?? dividedBy(node.sizeAt(1, 1), 3);
  const heads = node.int('num_heads', 0);
  const type: DataType = node.node.op === 'QAttention' ? node.dtype(3) : node.dtype(0);
  const past = node.node.op === 'QAttention' ? 8 : 4;
  const total = node.has(past) ? plus(node.sizeAt(past, 3), sequence) : sequence;
  const present: Shape = [2, batch, heads, total, heads > 0 ? dividedBy(hidden, heads) : null];
  const shared = node.int('past_present_share_buffer', 0) !== 0;
  return [
    tensor(type, [batch, sequence, hidden]),
    tensor(type, shared ? node.shape(past) : present),
  ];
};

/** com.microsoft.MultiHeadAttention: query [batch, sequence, hidden] or packed [batch, sequence, heads, 3, size]. */
export const multiHeadAttention: Rule = node => {
  const query = node.shape(0);
  const value = node.shape(2);
  const heads = node.int('num_heads', 0);
  if (query === null) return [tensor(node.dtype(0), null)];
  const [batch = null, sequence = null] = query;
  const size = query.length === 5 ? query[4] : dividedBy(query[2] ?? null, heads);
  const hidden = valueWidth(node, query, value, heads);
  const fresh = freshKeys(node, query);
  const hasPast = node.has(6);
  const total = hasPast ? (node.has(9) ? null : plus(node.sizeAt(6, 2), fresh)) : fresh;
  const type = node.dtype(0);
  return [
    tensor(type, [batch, sequence, hidden]),
    tensor(type, [batch, heads, total, size ?? null]),
    tensor(type, [batch, heads, total, dividedBy(hidden, heads)]),
    tensor(type, [batch, heads, sequence, total]),
  ];
};

/** Width of the output: that of the value, or of a packed query. */
function valueWidth(node: NodeView, query: Shape, value: Shape | null, heads: number): Dimension {
  if (query.length === 5) return times(query[4] ?? null, heads);
  if (value?.length === 4) return times(value[3] ?? null, heads);
  if (value?.length === 3) return value[2] ?? null;
  return node.has(2) || node.has(1) ? null : (query[2] ?? null);
}

/** Keys that this call adds: axis 1 of [batch, keys, hidden], axis 2 of [batch, heads, keys, size]. */
function freshKeys(node: NodeView, query: Shape): Dimension {
  const key = node.shape(1);
  if (!node.has(1)) return query[1] ?? null;
  if (key === null) return null;
  return (key.length === 4 ? key[2] : key[1]) ?? null;
}

/** com.microsoft.GroupQueryAttention: output like the query (packed ones are cut to it), caches as they grow. */
export const groupQueryAttention: Rule = node => {
  const query = node.shape(0);
  const packed = !node.has(1);
  const heads = node.int('num_heads', 0);
  const pairs = node.int('kv_num_heads', 0);
  const width = packed
    ? dividedBy(times(query?.[2] ?? null, heads), heads + 2 * pairs)
    : (query?.[2] ?? null);
  const cache: Value = tensor(node.dtype(3), null);
  return [
    tensor(node.dtype(0), query === null ? null : [query[0] ?? null, query[1] ?? null, width]),
    cache,
    cache,
  ];
};

/** ai.onnx.Attention (since 23): Q, K, V as [batch, heads, sequence, size] or [batch, sequence, heads · size]. */
export const standardAttention: Rule = node => {
  const query = node.shape(0);
  const key = node.shape(1);
  const value = node.shape(2);
  if (query === null || key === null || value === null) return [tensor(node.dtype(0), null)];
  const batch = query[0] ?? null;
  const flat = query.length === 3;
  const queryHeads: Dimension = flat ? node.int('q_num_heads', 0) : (query[1] ?? null);
  const pairHeads: Dimension = flat ? node.int('kv_num_heads', 0) : (key[1] ?? null);
  const sequence = (flat ? query[1] : query[2]) ?? null;
  const keySize = flat ? dividedBy(key[2] ?? null, pairHeads) : (key[3] ?? null);
  const valueSize = flat ? dividedBy(value[2] ?? null, pairHeads) : (value[3] ?? null);
  const fresh = (flat ? key[1] : key[2]) ?? null;
  const total = node.has(4) ? plus(node.sizeAt(4, 2), fresh) : fresh;
  const output = flat
    ? [batch, sequence, times(queryHeads, valueSize)]
    : [batch, queryHeads, sequence, valueSize];
  return [
    tensor(node.dtype(0), output),
    tensor(node.dtype(1), [batch, pairHeads, total, keySize]),
    tensor(node.dtype(2), [batch, pairHeads, total, valueSize]),
    tensor(node.dtype(0), [batch, queryHeads, sequence, total]),
  ];
};
