import type { Dimension } from '../../../../protocol/model';
import type { Node } from '../graph';
import type { AttentionBlock, AxisRole, Probabilities } from './block';
import { contextOf } from './context';
import type { GraphView } from './graphView';
import { times } from '../shapes/dimensions';
import { holdsFeatures, leadingAxis, sizeOf, type LeadingAxis } from './heads';
import { isCausal, type ReadTensor } from './masks';
import { axisBefore, groupOf } from './movement';
import { axisOfLetter, letterAt } from './products';
import { scaleOf } from './scale';
import { axisInProbabilities, isHeadMixing, scoresOf, type Scores } from './scores';
import { softmaxAt, type SoftmaxForm } from './softmaxes';
import { areSameTokens, sourcesOf } from './sources';

/**
 * The attention whose probabilities a node gives: a softmax of scores Q · Kᵀ that weights values (Vaswani et al. 2017, section 3.2.1). Null for
 * every other node.
 */
export function attentionAt(view: GraphView, node: Node, read: ReadTensor): AttentionBlock | null {
  const softmax = softmaxAt(view, node);
  const context = softmax && contextOf(view, softmax);
  const scores = context && scoresOf(view, softmax);
  if (!scores) return null;
  const queryOperand = scores.product.operands[scores.queryOperand];
  const queryTerm = scores.product.terms[scores.queryOperand];
  const keyOperand = scores.product.operands[scores.queryOperand === 0 ? 1 : 0];
  const queries = sourcesOf(view, queryOperand);
  const keys = sourcesOf(view, keyOperand);
  const same = areSameTokens(view, queries, keys);
  const layout = layoutOf(view, softmax, scores);
  const { probabilities } = layout;
  const lengthOf = (role: AxisRole): Dimension =>
    view.shape(softmax.output)?.[probabilities.axes.indexOf(role)] ??
    operandSize(view, scores, role);
  // a batch of two axes counts images and windows
  const isWindowed =
    queries.windows !== null || probabilities.axes.filter(role => role === 'batch').length > 1;
  const chosen = queries.selected && !keys.selected ? 'class' : 'self';
  const relates = (letter: string): boolean =>
    holdsFeatures(view, queryOperand, axisOfLetter(queryTerm, letter) ?? -1);
  const overChannels = relates(scores.queryLetter) && !relates(scores.summed);
  return {
    node,
    kind: overChannels ? 'channel' : isWindowed ? 'windowed' : same ? chosen : 'cross',
    causal: isCausal(view, scores.masks, read),
    heads: probabilities.heads,
    keyHeads: layout.keyHeads,
    queries: lengthOf('queries'),
    keys: lengthOf('keys'),
    scale: scaleOf(view, scores),
    masks: scores.masks,
    probabilities,
    context: context.product.node.outputs[0] ?? '',
    querySources: queries.tensors,
    keySources: keys.tensors,
    windows: queries.windows,
  };
}

/** What the product's operands say of an axis whose size the probabilities leave open. */
function operandSize(view: GraphView, scores: Scores, role: AxisRole): Dimension {
  const side = role === 'queries' ? scores.queryOperand : scores.queryOperand === 0 ? 1 : 0;
  const letter = role === 'queries' ? scores.queryLetter : scores.keyLetter;
  const { terms, operands } = scores.product;
  const axis = axisOfLetter(terms[side], letter);
  return axis === null ? null : view.size(operands[side], axis);
}

interface Layout {
  readonly probabilities: Probabilities;
  readonly keyHeads: Dimension;
}

function layoutOf(view: GraphView, softmax: SoftmaxForm, scores: Scores): Layout {
  const keyAxis = softmax.axis;
  const queryAxis =
    axisInProbabilities(view, scores, scores.queryLetter) ?? (keyAxis === -1 ? -2 : keyAxis + 1);
  const rank =
    view.rank(softmax.output) ?? Math.max(scores.product.output.length, -queryAxis, -keyAxis);
  const positions = Array.from({ length: rank }, (_, at) => at - rank);
  const leading = new Map<number, Traced>();
  for (const axis of positions)
    if (axis !== keyAxis && axis !== queryAxis) leading.set(axis, traced(view, scores, axis));
  const found = headsIn(view, softmax.output, leading) ?? usualHeads(view, softmax.output, leading);
  return {
    probabilities: {
      tensor: softmax.output,
      axes: positions.map(axis =>
        axis === keyAxis
          ? 'keys'
          : axis === queryAxis
            ? 'queries'
            : (found.roles.get(axis) ?? 'batch'),
      ),
      heads: found.heads,
      headsOuter: found.outer,
    },
    keyHeads: found.keyHeads,
  };
}

interface FoundHeads {
  readonly roles: ReadonlyMap<number, AxisRole>;
  readonly heads: Dimension;
  readonly keyHeads: Dimension;
  readonly outer: boolean;
}

/** An axis of the probabilities in the queries and in the keys. `part`: a Reshape behind the product cut it off another. */
interface Traced {
  readonly part: 'first' | 'last' | 'inner' | null;
  readonly queries: LeadingAxis;
  readonly keys: LeadingAxis;
}

/** Null where no axis was traced to heads. */
function headsIn(
  view: GraphView,
  tensor: string,
  leading: ReadonlyMap<number, Traced>,
): FoundHeads | null {
  const roles = new Map<number, AxisRole>();
  let heads: Dimension = 1;
  let keyHeads: Dimension = 1;
  let outer = false;
  for (const [axis, { part, queries, keys }] of leading) {
    const lead = queries.kind === 'batch' ? keys : queries;
    if (lead.kind === 'batch') continue;
    if (lead.kind === 'merged' && part === null) {
      roles.set(axis, 'merged');
      heads = lead.heads;
      outer = lead.outer;
    } else {
      const holds = lead.kind === 'merged' && lead.outer ? 'first' : 'last';
      if (part !== null && part !== holds) continue;
      roles.set(axis, 'heads');
      heads = times(heads, view.size(tensor, axis) ?? sizeOf(lead));
    }
    // an axis of heads that the keys do not have is broadcast over queries
    const own = keys.kind !== 'batch' ? keys.own : queries.kind === 'heads' ? 1 : sizeOf(lead);
    keyHeads = times(keyHeads, own);
  }
  return roles.size > 0 ? { roles, heads, keyHeads, outer } : null;
}

/** Four axes and more are [batch, …, heads, queries, keys] by custom; three are one head. */
function usualHeads(
  view: GraphView,
  tensor: string,
  leading: ReadonlyMap<number, Traced>,
): FoundHeads {
  const axes = [...leading.keys()];
  const last = axes.at(-1);
  if (axes.length < 2 || last === undefined)
    return { roles: new Map(), heads: 1, keyHeads: 1, outer: false };
  const heads = view.size(tensor, last);
  return { roles: new Map([[last, 'heads']]), heads, keyHeads: heads, outer: false };
}

/** Follows an axis of the probabilities to the product, then to where it begins in queries and keys. */
function traced(view: GraphView, scores: Scores, axis: number): Traced {
  let part: Traced['part'] = null;
  let at: number | null = axis;
  for (const node of scores.path.toReversed()) {
    if (at === null) break;
    if (isHeadMixing(view, node)) continue;
    const group: ReturnType<typeof groupOf> =
      node.op === 'Reshape' || node.op === 'Flatten' ? groupOf(view, node, at, 'output') : null;
    if (!group) {
      at = axisBefore(view, node, at);
      continue;
    }
    const [o0, o1] = group.output;
    const place: number = at + (view.rank(node.outputs[0] ?? '') ?? 0);
    if (o1 - o0 > 1) part = place === o1 - 1 ? 'last' : place === o0 ? 'first' : 'inner';
    at = group.input[1] - 1 - (view.rank(node.inputs[0] ?? '') ?? 0);
  }
  const letter = at === null ? '' : letterAt(scores.product.output, at);
  const lead = (side: 0 | 1): LeadingAxis => {
    const { terms, operands } = scores.product;
    const own = axisOfLetter(terms[side], letter);
    if (letter === '' || own === null || view.size(operands[side], own) === 1)
      return { kind: 'batch' };
    const features = axisOfLetter(terms[side], scores.summed);
    return leadingAxis(view, { name: operands[side], axis: own, features });
  };
  return {
    part,
    queries: lead(scores.queryOperand),
    keys: lead(scores.queryOperand === 0 ? 1 : 0),
  };
}
