import type { Dimension } from '../../../../protocol/model';
import type { Node } from '../graph';
import { times } from '../shapes/dimensions';
import type { GraphView } from './graphView';
import { axisBefore, groupOf, passedInputs } from './movement';
import { axisOfLetter, letterAt, productOf, projected, type Product } from './products';

/** What an axis in front of queries and keys stands for. */
export type LeadingAxis =
  | { readonly kind: 'batch' }
  /** `own`: heads of the keys before they were repeated for groups of queries; else the size itself. */
  | { readonly kind: 'heads'; readonly size: Dimension; readonly own: Dimension }
  /** Batch and heads in one axis: heads are the faster index unless `outer`. */
  | {
      readonly kind: 'merged';
      readonly heads: Dimension;
      readonly own: Dimension;
      readonly outer: boolean;
    };

const BATCH: LeadingAxis = { kind: 'batch' };
/** Nodes that one axis is followed through. */
const MOST_NODES = 64;

/** Two axes of a tensor, from the end: the one in question, and the one of a head's features. */
interface Place {
  readonly name: string;
  readonly axis: number;
  readonly features: number | null;
}

/**
 * Follows an axis of queries or keys back to where it begins. An axis of heads is split off the features of a projection, or made by weights
 * that have it; every other axis is a batch.
 */
export function leadingAxis(view: GraphView, place: Place, budget = MOST_NODES): LeadingAxis {
  let at = place;
  for (let left = budget; left > 0; left--) {
    const node = view.producer(at.name);
    if (!node) return BATCH;
    if (projected(view, node) !== null) return madeByWeights(view, productOf(view, node), at);
    if (node.op === 'Reshape' || node.op === 'Flatten') {
      const known = throughReshape(view, at, left);
      if (known) return known;
    }
    if (node.op === 'Concat' && splitsBefore(view, node.inputs))
      return { kind: 'merged', heads: node.inputs.length, own: node.inputs.length, outer: true };
    const axis = axisBefore(view, node, at.axis);
    const features = at.features === null ? null : axisBefore(view, node, at.features);
    const input = dataInput(
      view,
      node.op === 'Reshape' ? node.inputs.slice(0, 1) : passedInputs(node),
      at.axis,
    );
    if (axis === null || input === null) return BATCH;
    if (node.op === 'Expand' && view.size(input, axis) === 1 && view.size(at.name, axis) !== 1)
      return { kind: 'heads', size: view.size(at.name, axis), own: 1 };
    if (node.op === 'Gather' && view.size(input, axis) !== view.size(at.name, at.axis)) {
      const before = leadingAxis(view, { name: input, axis, features }, left);
      return before.kind === 'heads' ? { ...before, size: view.size(at.name, at.axis) } : before;
    }
    at = { name: input, axis, features };
  }
  return BATCH;
}

/**
 * True where an axis holds features of a projection, or part of them. Scores over such an axis relate channels, not tokens (cross-covariance attention,
 * El-Nouby et al. 2021, arXiv 2106.09681).
 */
export function holdsFeatures(view: GraphView, name: string, axis: number): boolean {
  let at: { readonly name: string; readonly axis: number } = { name, axis };
  for (let left = MOST_NODES; left > 0; left--) {
    const node = view.producer(at.name);
    if (!node) return false;
    const data = projected(view, node);
    if (data !== null) return isMade(view, node, data, at.axis);
    const before = axisBefore(view, node, at.axis) ?? cutFrom(view, node, at.axis);
    const inputs = node.op === 'Reshape' ? node.inputs.slice(0, 1) : passedInputs(node);
    const input = dataInput(view, inputs, at.axis);
    if (before === null || input === null) return false;
    at = { name: input, axis: before };
  }
  return false;
}

/** The axis of the input that a Reshape cut an axis of its output from. */
function cutFrom(view: GraphView, node: Node, axis: number): number | null {
  const group = node.op === 'Reshape' ? groupOf(view, node, axis, 'output') : null;
  if (!group || group.input[1] - group.input[0] !== 1) return null;
  return group.input[0] - (view.rank(node.inputs[0] ?? '') ?? 0);
}

/** Axes that the weights bring in; of a convolution, the channels. */
function isMade(view: GraphView, node: Node, data: string, axis: number): boolean {
  const product = productOf(view, node);
  if (!product) return axis === 1 - (view.rank(node.outputs[0] ?? '') ?? 4);
  const side = product.operands[0] === data ? 0 : 1;
  return axisOfLetter(product.terms[side], letterAt(product.output, axis)) === null;
}

/** The input that brings in an axis: of several, one that varies and is not 1 long there. */
function dataInput(view: GraphView, inputs: readonly string[], axis: number): string | null {
  const varying = inputs.filter(name => view.varies(name));
  return varying.find(name => view.size(name, axis) !== 1) ?? varying[0] ?? null;
}

/** Set Transformers and early TensorFlow models put the heads one after the other into the batch. */
function splitsBefore(view: GraphView, inputs: readonly string[]): boolean {
  const [first = '', ...more] = inputs.map(name => {
    const node = view.producer(name);
    return node?.op === 'Split' || node?.op === 'Slice' ? (node.inputs[0] ?? '') : '';
  });
  return first !== '' && more.length > 0 && more.every(each => each === first);
}

function throughReshape(view: GraphView, at: Place, left: number): LeadingAxis | null {
  const node = view.producer(at.name);
  const group = node && groupOf(view, node, at.axis, 'output');
  const input = node?.inputs[0] ?? '';
  const before = view.shape(input);
  const after = view.shape(at.name);
  if (!group || !before || !after) return null;
  const [i0, i1] = group.input;
  const [o0, o1] = group.output;
  const size = view.size(at.name, at.axis);
  const featuresInside =
    at.features !== null && at.features + after.length >= o0 && at.features + after.length < o1;
  if (featuresInside && i1 - i0 === 1) return { kind: 'heads', size, own: size };
  if (featuresInside) {
    const heads = ratio(before[i1 - 1] ?? null, view.size(at.name, at.features ?? -1));
    // a batch of one
    if (heads === size) return { kind: 'heads', size, own: size };
    return { kind: 'merged', heads, own: heads, outer: false };
  }
  if (i1 - i0 > 1 && o1 - o0 === 1) return merged(view, at, { input, from: i0, to: i1 }, left);
  if (i1 - i0 > 1 || o1 - o0 === 1) return null;
  return partOf(tracedAt(view, at, { input, axis: i0 - before.length }, left), {
    isFirst: at.axis + after.length === o0,
    isLast: at.axis + after.length === o1 - 1,
    size,
  });
}

/** What a part of an axis stands for: heads are its last part, or its first one. */
function partOf(
  lead: LeadingAxis,
  part: { readonly isFirst: boolean; readonly isLast: boolean; readonly size: Dimension },
): LeadingAxis {
  if (lead.kind === 'batch') return BATCH;
  const holds = lead.kind === 'merged' && lead.outer ? part.isFirst : part.isLast;
  return holds ? { kind: 'heads', size: part.size, own: lead.own } : BATCH;
}

/** Follows an axis of the input of a node. */
function tracedAt(
  view: GraphView,
  at: Place,
  { input, axis }: { readonly input: string; readonly axis: number },
  left: number,
): LeadingAxis {
  const node = view.producer(at.name);
  const features = node && at.features !== null ? axisBefore(view, node, at.features) : null;
  return leadingAxis(view, { name: input, axis, features }, left - 1);
}

const ratio = (whole: Dimension, part: Dimension): Dimension =>
  typeof whole === 'number' && typeof part === 'number' && part > 0 && whole % part === 0
    ? whole / part
    : null;

/** Several axes became one: heads (groups, and queries of a group) may be the last of them, or the first. */
function merged(
  view: GraphView,
  at: Place,
  { input, from, to }: { readonly input: string; readonly from: number; readonly to: number },
  left: number,
): LeadingAxis | null {
  const rank = view.rank(input) ?? 0;
  const parts = Array.from({ length: to - from }, (_, i) =>
    tracedAt(view, at, { input, axis: from + i - rank }, left),
  );
  const last = parts.at(-1);
  if (last?.kind === 'merged') return last;
  const inner = parts.slice(parts.findLastIndex(part => part.kind !== 'heads') + 1);
  const end = parts.findIndex(part => part.kind !== 'heads');
  const outer = parts.slice(0, Math.max(0, end));
  const heads = inner.length > 0 ? inner : outer;
  if (heads.length === 0) return null;
  const size = heads.reduce<Dimension>((product, part) => times(product, sizeOf(part)), 1);
  const own = heads.reduce<Dimension>((product, part) => times(product, ownOf(part)), 1);
  if (heads.length === parts.length) return { kind: 'heads', size, own };
  return { kind: 'merged', heads: size, own, outer: inner.length === 0 };
}

/** Heads of queries on an axis. */
export const sizeOf = (lead: LeadingAxis): Dimension =>
  lead.kind === 'heads' ? lead.size : lead.kind === 'merged' ? lead.heads : 1;

const ownOf = (lead: LeadingAxis): Dimension => (lead.kind === 'batch' ? 1 : lead.own);

/** An axis that a projection gives: one of heads where only its weights have it. */
function madeByWeights(view: GraphView, product: Product | null, at: Place): LeadingAxis {
  if (!product) return BATCH;
  const data = view.varies(product.operands[0]) ? 0 : 1;
  const letter = letterAt(product.output, at.axis);
  const size = view.size(at.name, at.axis);
  const inData = axisOfLetter(product.terms[data], letter);
  if (letter === '' || at.axis === at.features) return BATCH;
  const onlyInWeights = inData === null || view.size(product.operands[data], inData) === 1;
  return onlyInWeights && size !== 1 ? { kind: 'heads', size, own: size } : BATCH;
}
