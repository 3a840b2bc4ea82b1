import type { Node } from '../graph';
import type { GraphView } from './graphView';
import {
  axisAfter,
  axisBefore,
  groupOf,
  isBroadcasting,
  isElementwise,
  isMoving,
  passedInputs,
} from './movement';
import {
  axisOfLetter,
  letterAt,
  productOf,
  projected,
  summedLetters,
  type Product,
} from './products';
import type { SoftmaxForm } from './softmaxes';

/** How the scores in front of a softmax come about: Q · Kᵀ, and what happens to it on the way. */
export interface Scores {
  readonly product: Product;
  /** Which operand holds the queries; the other holds the keys. */
  readonly queryOperand: 0 | 1;
  readonly queryLetter: string;
  readonly keyLetter: string;
  /** The letter of the axis that is summed over. */
  readonly summed: string;
  /** From the product to the softmax, in order. */
  readonly path: readonly Node[];
  /** What is added to the scores, or chosen instead of them, in order. */
  readonly masks: readonly string[];
}

/** Nodes that a search from a softmax looks at before it gives up. */
const MOST_NODES = 96;

interface Step {
  readonly name: string;
  readonly axis: number;
  /** Nodes from here to the softmax. */
  readonly path: readonly Node[];
  /** Times that the axis was cut into rows and columns (for a bias of each) on the way from here, and not put together again. */
  readonly cuts: number;
}

/**
 * The product of queries and keys that a softmax is taken of. Of several on the way (a relative position may be one too) the first of two
 * tensors that vary is taken, else the first with learned queries. Null where there is none: what is normalised are no scores.
 */
export function scoresOf(view: GraphView, softmax: SoftmaxForm): Scores | null {
  const stack: Step[] = [{ name: softmax.input, axis: softmax.axis, path: [], cuts: 0 }];
  const seen = new Set<string>([softmax.input]);
  let learned: Scores | null = null;
  for (let step = stack.pop(); step && seen.size < MOST_NODES; step = stack.pop()) {
    const node = view.producer(step.name);
    if (!node) continue;
    const product = productOf(view, node);
    if (product) {
      const scores = scoresIn(view, product, step);
      if (scores && product.operands.every(name => view.varies(name)))
        return withMasks(view, scores, softmax);
      learned ??= scores;
    }
    if (projected(view, node) !== null && !isHeadMixing(view, node)) continue;
    for (const next of nextSteps(view, node, step).reverse()) {
      if (seen.has(next.name)) continue;
      seen.add(next.name);
      stack.push(next);
    }
  }
  return learned && withMasks(view, learned, softmax);
}

function nextSteps(view: GraphView, node: Node, step: Step): Step[] {
  const inputs = isHeadMixing(view, node) ? [node.inputs[0] ?? ''] : passedInputs(node);
  const before = placeBefore(view, node, step);
  if (before === null) return [];
  return inputs
    .filter(name => view.varies(name))
    .map(name => ({ name, ...before, path: [node, ...step.path] }));
}

/** Where the axis is in front of a node; of an axis that is in parts, its last part. */
function placeBefore(
  view: GraphView,
  node: Node,
  { axis, cuts }: Step,
): Pick<Step, 'axis' | 'cuts'> | null {
  const before = axisBefore(view, node, axis);
  if (before !== null) return { axis: before, cuts };
  const group = node.op === 'Reshape' ? groupOf(view, node, axis, 'output') : null;
  const rank = view.rank(node.inputs[0] ?? '');
  if (!group || rank === null) return null;
  const parts = group.input[1] - group.input[0];
  const last = group.input[1] - 1 - rank;
  if (group.output[1] - group.output[0] === 1) return { axis: last, cuts: cuts + 1 };
  const isLast = axis + (view.rank(node.outputs[0] ?? '') ?? 0) === group.output[1] - 1;
  return cuts > 0 && parts === 1 && isLast ? { axis: last, cuts: cuts - 1 } : null;
}

/**
 * Talking heads (Shazeer et al. 2020, arXiv 2003.02436): scores or probabilities of all heads are mixed by a small square matrix, as a product on a last
 * axis of heads or as a 1×1 convolution.
 */
export function isHeadMixing(view: GraphView, node: Node): boolean {
  const [data = '', weight = ''] = node.inputs;
  if (!view.varies(data) || view.varies(weight)) return false;
  const shape = view.shape(weight);
  if (node.op === 'Conv') return shape?.length === 4 && shape[2] === 1 && shape[3] === 1;
  return node.op === 'MatMul' && shape?.length === 2 && shape[0] === shape[1] && shape[0] !== 1;
}

/** A product whose result has the normalised axis from one operand only, and another axis from the other one. */
function scoresIn(view: GraphView, product: Product, { axis, path, cuts }: Step): Scores | null {
  const { terms, output } = product;
  const keyLetter = letterAt(output, axis);
  const keyOperand = terms[0].includes(keyLetter) ? 0 : 1;
  const queryOperand = keyOperand === 0 ? 1 : 0;
  const [summed, ...more] = summedLetters(product);
  if (cuts > 0 || keyLetter === '' || terms[queryOperand].includes(keyLetter)) return null;
  if (summed === undefined || more.length > 0 || projected(view, product.node) !== null)
    return null;
  const own = [...terms[queryOperand]].filter(
    letter => output.includes(letter) && !terms[keyOperand].includes(letter),
  );
  const queryLetter = own.at(-1);
  if (queryLetter === undefined || isOuter(view, product, summed)) return null;
  return { product, queryOperand, queryLetter, keyLetter, summed, path, masks: [] };
}

/** Sums over one element are how masks of two sides are written. */
const isOuter = (view: GraphView, { operands, terms }: Product, summed: string): boolean =>
  operands.some(
    (name, i) => view.size(name, axisOfLetter(terms[i === 0 ? 0 : 1], summed) ?? 0) === 1,
  );

/** What broadcasting operators between the product and the softmax bring in besides one number, or one of each head. */
function withMasks(view: GraphView, scores: Scores, softmax: SoftmaxForm): Scores {
  const masks: string[] = [];
  let at = scores.product.node.outputs[0] ?? '';
  for (const node of scores.path) {
    const others = node.op === 'Where' ? node.inputs.slice(0, 1) : node.inputs;
    if (isBroadcasting(node))
      masks.push(...others.filter(name => name !== at && isWide(view, name, softmax)));
    at = node.outputs[0] ?? '';
  }
  return { ...scores, masks: softmax.bias === null ? masks : [...masks, softmax.bias] };
}

/** False for a single number, for one of each head, and for one of each query (a maximum taken off). */
function isWide(view: GraphView, name: string, { axis, output }: SoftmaxForm): boolean {
  const length = view.size(name, axis);
  const keys = view.size(output, axis);
  if (view.rank(name) === 0 || length === 1) return false;
  return typeof length !== 'number' || typeof keys !== 'number' || length === keys;
}

/** Where an axis of the product is in the probabilities; null where an operator on the way hides it. */
export function axisInProbabilities(
  view: GraphView,
  { product, path }: Scores,
  letter: string,
): number | null {
  let axis = axisOfLetter(product.output, letter);
  for (const node of path)
    axis = axis === null ? null : isHeadMixing(view, node) ? axis : axisAfter(view, node, axis);
  return axis;
}

/** The operators that may stand between the probabilities and the product with the values. */
export const passesOn = (view: GraphView, node: Node): boolean =>
  isElementwise(node) || isBroadcasting(node) || isMoving(node) || isHeadMixing(view, node);
