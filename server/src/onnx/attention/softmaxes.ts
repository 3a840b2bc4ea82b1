import { intAttribute } from '../constantShapes';
import type { Node } from '../graph';
import { axisFromEnd, isMicrosoft, isStandard, type GraphView } from './graphView';

/** Numbers that add up to 1 along one axis: a Softmax, or the operators that it was written out as. */
export interface SoftmaxForm {
  /** The node that gives the probabilities. */
  readonly node: Node;
  readonly input: string;
  readonly output: string;
  /** From the end. */
  readonly axis: number;
  /** What a fused operator adds to the input before. */
  readonly bias: string | null;
}

/** The version since which Softmax works along one axis; before, along all axes from one on together. */
const ONE_AXIS_SINCE = 13;
/** Nodes between the parts of a softmax that is written out. */
const MOST_STEPS = 8;

/** The softmax that ends at a node; null for other nodes, and where what adds up to 1 are several axes together. */
export function softmaxAt(view: GraphView, node: Node): SoftmaxForm | null {
  if (isStandard(node, 'Softmax')) return plain(view, node, view.opset < ONE_AXIS_SINCE);
  if (isMicrosoft(node, 'QLinearSoftmax'))
    return plain(view, node, intAttribute(node, 'opset', 1) < ONE_AXIS_SINCE);
  if (isMicrosoft(node, 'BiasSoftmax')) {
    const form = plain(view, node, true);
    return form && { ...form, bias: node.inputs[1] ?? null };
  }
  if (isStandard(node, 'Div')) return quotient(view, node, node.inputs[0], node.inputs[1]);
  if (isStandard(node, 'Mul')) return timesReciprocal(view, node);
  return isStandard(node, 'Exp') ? exponential(view, node) : null;
}

function plain(view: GraphView, node: Node, coerces: boolean): SoftmaxForm | null {
  const input = node.inputs[0] ?? '';
  const rank = view.rank(input);
  const given = axisFromEnd(node, coerces ? 1 : -1, rank) ?? LAST;
  const axis = coerces ? onlyLongAxis(view, input, given) : given;
  return axis === null ? null : { ...ends(node), input, axis, bias: null };
}

/** Where the rank is open, an exporter's axis is the last one. */
const LAST = -1;

/** Of the axes from one on, the only one that is not of size 1; where they all are, the last. */
function onlyLongAxis(view: GraphView, input: string, first: number): number | null {
  const axes = Array.from({ length: -first }, (_, i) => first + i);
  const long = axes.filter(axis => view.size(input, axis) !== 1);
  return long.length > 1 ? null : (long[0] ?? LAST);
}

const ends = (node: Node): Pick<SoftmaxForm, 'node' | 'output'> => ({
  node,
  output: node.outputs[0] ?? '',
});

/** exp(x) / Σ exp(x), with or without a maximum taken off x, a mask multiplied in, or an ε in the denominator. */
function quotient(
  view: GraphView,
  node: Node,
  numerator = '',
  denominator = '',
): SoftmaxForm | null {
  const sum = back(view, denominator, each => each.op === 'ReduceSum', PASSED_BY_SUM);
  if (!sum || sum.inputs[0] !== numerator) return null;
  const axes = view.axes(sum, 1);
  const rank = view.rank(numerator);
  const [only] = axes ?? [];
  const exp = back(view, numerator, each => each.op === 'Exp', PASSED_BY_EXP);
  if (!exp || axes?.length !== 1 || only === undefined) return null;
  const axis = only < 0 ? only : rank === null ? null : only - rank;
  if (axis === null) return null;
  return { ...ends(node), input: lessMaximum(view, exp.inputs[0] ?? ''), axis, bias: null };
}

const PASSED_BY_SUM: ReadonlySet<string> = new Set(
  'Cast Identity Expand Unsqueeze Add Max Clip'.split(' '),
);
const PASSED_BY_EXP: ReadonlySet<string> = new Set('Cast Identity Mul Where'.split(' '));

function timesReciprocal(view: GraphView, node: Node): SoftmaxForm | null {
  for (const [at, factor] of node.inputs.entries()) {
    const inverse = view.producer(factor);
    if (inverse && isStandard(inverse, 'Reciprocal'))
      return quotient(view, node, node.inputs[1 - at], inverse.inputs[0]);
  }
  return null;
}

/** exp(log softmax(x)), or exp(x − log Σ exp(x)). */
function exponential(view: GraphView, node: Node): SoftmaxForm | null {
  const before = view.producer(node.inputs[0] ?? '');
  if (!before) return null;
  if (isStandard(before, 'LogSoftmax')) {
    const form = plain(view, before, view.opset < ONE_AXIS_SINCE);
    return form && { ...form, ...ends(node) };
  }
  const [x = '', other = ''] = before.inputs;
  const sum = view.producer(other);
  if (!isStandard(before, 'Sub') || !sum || !isStandard(sum, 'ReduceLogSumExp')) return null;
  const [axis] = view.axes(sum, 1) ?? [];
  const rank = view.rank(x);
  if (sum.inputs[0] !== x || axis === undefined || (axis >= 0 && rank === null)) return null;
  return { ...ends(node), input: x, axis: axis < 0 ? axis : axis - (rank ?? 0), bias: null };
}

/** x of x − max(x); as it is without one. */
function lessMaximum(view: GraphView, name: string): string {
  const node = view.producer(name);
  if (!node || !isStandard(node, 'Sub')) return name;
  const [x = '', other = ''] = node.inputs;
  const maximum = back(view, other, each => each.op === 'ReduceMax', PASSED_BY_SUM);
  return maximum?.inputs[0] === x ? x : name;
}

/** The nearest node in front that fits, through these operators along their first input that varies. */
function back(
  view: GraphView,
  name: string,
  fits: (node: Node) => boolean,
  passed: ReadonlySet<string>,
): Node | null {
  let at = name;
  for (let step = 0; step < MOST_STEPS; step++) {
    const node = view.producer(at);
    if (!node) return null;
    if (fits(node)) return node;
    if (!passed.has(node.op)) return null;
    const inputs = node.op === 'Where' ? node.inputs.slice(1) : node.inputs;
    at = inputs.find(each => view.varies(each)) ?? inputs[0] ?? '';
  }
  return null;
}
