import type { Dimension } from '../../../../protocol/model';
import { intAttribute } from '../constantShapes';
import type { Node } from '../graph';
import { dividedBy, plus } from '../shapes/dimensions';
import type { AttentionBlock } from './block';
import { floatAttribute, type GraphView } from './graphView';
import { areSameTokens, sourcesOf, type Sources } from './sources';

/** What the operator's own attributes and inputs say. */
interface Fused {
  readonly heads: Dimension;
  readonly keyHeads: Dimension;
  readonly queries: Dimension;
  readonly keys: Dimension;
  readonly causal: boolean;
  readonly masks: readonly string[];
  /** Inputs with queries and keys; the same where one input holds both. */
  readonly from: readonly [query: string, key: string];
}

/** Reads an operator that computes attention as a whole; null where it is another one. */
export function fusedAttention(view: GraphView, node: Node): AttentionBlock | null {
  const fused = READERS.get(node.domain === '' ? node.op : `${node.domain}.${node.op}`)?.(
    view,
    node,
  );
  if (!fused) return null;
  const [query, key] = fused.from;
  const queries = sourcesOf(view, query);
  const keys = query === key ? queries : sourcesOf(view, key);
  return {
    node,
    kind: kindOf(view, query === key, queries, keys),
    ...fused,
    scale: floatAttribute(node, 'scale', 0) || null,
    probabilities: null,
    context: node.outputs[0] ?? '',
    querySources: queries.tensors,
    keySources: keys.tensors,
    windows: queries.windows,
  };
}

function kindOf(
  view: GraphView,
  oneInput: boolean,
  queries: Sources,
  keys: Sources,
): AttentionBlock['kind'] {
  if (queries.windows) return 'windowed';
  if (!oneInput && !areSameTokens(view, queries, keys)) return 'cross';
  return queries.selected && !keys.selected ? 'class' : 'self';
}

type Reader = (view: GraphView, node: Node) => Fused;

const READERS: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  ['Attention', standard],
  ['com.microsoft.Attention', (view, node) => packedWeights(view, node, 3, 4)],
  ['com.microsoft.QAttention', (view, node) => packedWeights(view, node, 5, 8)],
  ['com.microsoft.MultiHeadAttention', (view, node) => multiHead(view, node, [4, 5], 6)],
  [
    'com.microsoft.DecoderMaskedMultiHeadAttention',
    (view, node) => multiHead(view, node, [3, 4], 5),
  ],
  ['com.microsoft.DecoderMaskedSelfAttention', (view, node) => packedWeights(view, node, 3, 4)],
  ['com.microsoft.GroupQueryAttention', grouped],
  ['com.microsoft.SparseAttention', grouped],
  ['com.microsoft.PackedAttention', packedTokens],
  ['com.microsoft.PackedMultiHeadAttention', packedTokens],
  ['com.microsoft.LongformerAttention', (view, node) => packedWeights(view, node, 3, -1)],
]);

const inputAt = (node: Node, index: number): string => node.inputs[index] ?? '';
const given = (node: Node, ...indices: readonly number[]): readonly string[] =>
  indices.map(index => inputAt(node, index)).filter(name => name !== '');
const countOf = (node: Node, name: string): Dimension => intAttribute(node, name, 0) || null;

/** Attention of ai.onnx since 23: [batch, heads, length, size], or flat [batch, length, heads · size] with the heads as attributes. */
function standard(view: GraphView, node: Node): Fused {
  const [query, key] = [inputAt(node, 0), inputAt(node, 1)];
  const flat = view.rank(query) === 3 || node.attributes.has('q_num_heads');
  const fresh = view.size(key, -2);
  const past = inputAt(node, 4);
  return {
    heads: flat ? countOf(node, 'q_num_heads') : view.size(query, -3),
    keyHeads: flat ? countOf(node, 'kv_num_heads') : view.size(key, -3),
    queries: view.size(query, -2),
    keys: past === '' ? fresh : plus(view.size(past, -2), fresh),
    causal: intAttribute(node, 'is_causal', 0) !== 0,
    masks: given(node, 3),
    from: [query, key],
  };
}

/** Operators that project their input [batch, length, width] with weights of their own; `past` [2, batch, heads, length, size]. */
function packedWeights(view: GraphView, node: Node, mask: number, past: number): Fused {
  const input = inputAt(node, 0);
  const heads = countOf(node, 'num_heads');
  const length = view.size(input, -2);
  const before = past < 0 ? '' : inputAt(node, past);
  return {
    heads,
    keyHeads: heads,
    queries: length,
    keys: before === '' ? length : plus(view.size(before, -2), length),
    causal: intAttribute(node, 'unidirectional', 0) !== 0,
    masks: given(node, mask, ...(node.op === 'Attention' ? [5] : [])),
    from: [input, input],
  };
}

/** Queries [batch, length, width] with keys of the same form, with heads [batch, heads, length, size], or all packed in one. */
function multiHead(view: GraphView, node: Node, masks: readonly number[], past: number): Fused {
  const [query, key] = [inputAt(node, 0), inputAt(node, 1) || inputAt(node, 0)];
  const heads = countOf(node, 'num_heads');
  const length = (name: string): Dimension =>
    view.rank(name) === 5 ? view.size(name, -4) : view.size(name, -2);
  const before = inputAt(node, past);
  return {
    heads,
    keyHeads: heads,
    queries: length(query),
    keys: before === '' ? length(key) : plus(view.size(before, -2), length(key)),
    causal: intAttribute(node, 'unidirectional', 0) !== 0,
    masks: given(node, ...masks),
    from: [query, key],
  };
}

/** Grouped queries: keys and values with fewer heads, always causal; with past ones [batch, heads, length, size] and the whole length as an input. */
function grouped(view: GraphView, node: Node): Fused {
  const query = inputAt(node, 0);
  const length = view.size(query, -2);
  const [total = null] = view.elements(inputAt(node, 6)) ?? [];
  return {
    heads: countOf(node, 'num_heads'),
    keyHeads: countOf(node, 'kv_num_heads'),
    queries: length,
    keys: total ?? (view.size(inputAt(node, 3), -2) === 0 ? length : null),
    causal: true,
    masks: given(node, 10),
    from: [query, inputAt(node, 1) || query],
  };
}

/** Tokens of all sequences in one row, without padding: [tokens, width]. */
function packedTokens(view: GraphView, node: Node): Fused {
  const heads = countOf(node, 'num_heads');
  const projects = node.op === 'PackedAttention';
  const query = inputAt(node, 0);
  const offsets = inputAt(node, projects ? 3 : 4);
  const length = dividedBy(view.size(offsets, -1), 1);
  return {
    heads,
    keyHeads: heads,
    queries: length,
    keys: length,
    causal: false,
    masks: given(node, projects ? 5 : 6),
    from: [query, projects ? query : inputAt(node, 1) || query],
  };
}
