import type { Node } from '../graph';
import { intsAttribute } from '../constantShapes';
import { axisFromEnd, type GraphView } from './graphView';
import { reshapeGroups, type ReshapeGroup } from './reshapeGroups';

/**
 * How operators that move, copy or change single elements pass an axis on. Axes count from the end (−1 is the last), which broadcasting leaves
 * as they are.
 */

const named = (text: string): ReadonlySet<string> => new Set(text.split(' '));

/** One input that varies with each element of the output; all axes stay. */
const ELEMENTWISE: ReadonlySet<string> = named(
  'Identity Cast CastLike Dropout QuantizeLinear DequantizeLinear Neg Abs Tanh Clip Relu Elu Exp Log Sqrt Reciprocal Sigmoid Softplus Erf Gelu ' +
    'LeakyRelu HardSigmoid BatchNormalization InstanceNormalization LayerNormalization RMSNormalization SimplifiedLayerNormalization ' +
    'LpNormalization RotaryEmbedding CumSum Trilu DynamicQuantizeLinear Pad Tile ScatterND ScatterElements',
);
/** Inputs of equal standing, broadcast against each other. */
const BROADCASTING: ReadonlySet<string> = named('Add Sub Mul Div Max Min Pow Sum Mean');
/** Operators that only move elements, or leave some out. */
const MOVING: ReadonlySet<string> = named(
  'Identity Cast CastLike Dropout QuantizeLinear DequantizeLinear DynamicQuantizeLinear Transpose Reshape Flatten Squeeze Unsqueeze Slice Gather ' +
    'Split Expand Pad Tile',
);

/** True for operators that give elements of their first input, in another place or number type. */
export const isMoving = (node: Node): boolean =>
  MOVING.has(node.op) && (node.domain === '' || node.domain === 'com.microsoft');

export const isElementwise = (node: Node): boolean => ELEMENTWISE.has(node.op);
export const isBroadcasting = (node: Node): boolean =>
  BROADCASTING.has(node.op) || node.op === 'Where';

/** The inputs whose elements a node passes on: the first, all of broadcasting operators and Concat, both choices of Where. */
export function passedInputs(node: Node): readonly string[] {
  if (node.op === 'Where') return node.inputs.slice(1);
  if (BROADCASTING.has(node.op) || node.op === 'Concat') return node.inputs;
  return ELEMENTWISE.has(node.op) || MOVING.has(node.op) ? node.inputs.slice(0, 1) : [];
}

/** The axis of an input that becomes axis `axis` of the output; null where the operator makes it, or nothing is known. */
export function axisBefore(view: GraphView, node: Node, axis: number): number | null {
  const input = node.inputs[0] ?? '';
  switch (node.op) {
    case 'Transpose': {
      const perm = permutation(view, node);
      const from = perm?.at(axis);
      return perm && from !== undefined ? from - perm.length : null;
    }
    case 'Reshape':
    case 'Flatten': {
      const group = groupOf(view, node, axis, 'output');
      if (!group) return axis === -1 ? -1 : null;
      return isPair(group) ? group.input[0] - (view.rank(input) ?? 0) : null;
    }
    case 'Unsqueeze':
      return without(view, node, axis, view.rank(node.outputs[0] ?? ''));
    case 'Squeeze':
      return withAxes(view, node, axis, view.rank(input));
    case 'Gather':
      return gatheredFrom(view, node, axis);
    default:
      return axis;
  }
}

/** The other way: where axis `axis` of the first (or any broadcast) input goes. */
export function axisAfter(view: GraphView, node: Node, axis: number): number | null {
  const input = node.inputs[0] ?? '';
  switch (node.op) {
    case 'Transpose': {
      const perm = permutation(view, node);
      const to = perm ? perm.indexOf(axis + perm.length) : -1;
      return perm && to >= 0 ? to - perm.length : null;
    }
    case 'Reshape':
    case 'Flatten': {
      const group = groupOf(view, node, axis, 'input');
      if (!group) return axis === -1 ? -1 : null;
      return isPair(group) ? group.output[0] - (view.rank(node.outputs[0] ?? '') ?? 0) : null;
    }
    case 'Unsqueeze':
      return withAxes(view, node, axis, view.rank(node.outputs[0] ?? ''));
    case 'Squeeze':
      return without(view, node, axis, view.rank(input));
    case 'Gather':
      return gatheredTo(view, node, axis);
    default:
      return axis;
  }
}

function permutation(view: GraphView, node: Node): readonly number[] | null {
  const given = intsAttribute(node, 'perm');
  if (given) return given;
  const rank = view.rank(node.inputs[0] ?? '');
  return rank === null ? null : Array.from({ length: rank }, (_, axis) => rank - 1 - axis);
}

/** The group of a Reshape that an axis of its input or output is in; null where a rank is not known. */
export function groupOf(
  view: GraphView,
  node: Node,
  axis: number,
  side: 'input' | 'output',
): ReshapeGroup | null {
  const input = view.shape(node.inputs[0] ?? '');
  const output = view.shape(node.outputs[0] ?? '');
  if (!input || !output) return null;
  const at = axis + (side === 'input' ? input : output).length;
  return (
    reshapeGroups(input, output).find(each => at >= each[side][0] && at < each[side][1]) ?? null
  );
}

const isPair = ({ input, output }: ReshapeGroup): boolean =>
  input[1] - input[0] === 1 && output[1] - output[0] === 1;

/** An axis in a tensor of `rank` axes, in the tensor without those that the node names; null for one of them. */
function without(view: GraphView, node: Node, axis: number, rank: number | null): number | null {
  const gone = namedAxes(view, node, rank);
  if (!gone || rank === null) return null;
  const at = axis + rank;
  if (gone.has(at)) return null;
  return axis + [...gone].filter(each => each > at).length;
}

/** An axis in a tensor without the axes that the node names, in the tensor of `rank` axes with them. */
function withAxes(view: GraphView, node: Node, axis: number, rank: number | null): number | null {
  const added = namedAxes(view, node, rank);
  if (!added || rank === null) return null;
  const kept = Array.from({ length: rank }, (_, at) => at).filter(at => !added.has(at));
  const at = kept.at(axis);
  return at === undefined ? null : at - rank;
}

function namedAxes(view: GraphView, node: Node, rank: number | null): ReadonlySet<number> | null {
  if (rank === null) return null;
  const axes = view.axes(node, 1);
  if (axes) return new Set(axes.map(axis => (axis < 0 ? axis + rank : axis)));
  if (node.op !== 'Squeeze') return null;
  const shape = view.shape(node.inputs[0] ?? '') ?? [];
  return new Set(shape.flatMap((size, at) => (size === 1 ? [at] : [])));
}

/** How Gather moves the axes in front of the gathered one: by the rank of the indices less one. */
function gathering(
  view: GraphView,
  node: Node,
): { readonly axis: number; readonly shift: number } | null {
  const axis = axisFromEnd(node, 0, view.rank(node.inputs[0] ?? ''));
  const indices = view.rank(node.inputs[1] ?? '');
  return axis === null || indices === null ? null : { axis, shift: indices - 1 };
}

function gatheredFrom(view: GraphView, node: Node, axis: number): number | null {
  const gather = gathering(view, node);
  if (!gather) return null;
  if (axis > gather.axis) return axis;
  const from = axis + gather.shift;
  if (from < gather.axis) return from;
  return gather.shift === 0 ? axis : null;
}

function gatheredTo(view: GraphView, node: Node, axis: number): number | null {
  const gather = gathering(view, node);
  if (!gather) return null;
  if (axis > gather.axis) return axis;
  if (axis === gather.axis) return gather.shift === 0 ? axis : null;
  return axis - gather.shift;
}
