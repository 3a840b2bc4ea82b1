import type { Dimension } from '../../../../../protocol/model';
import {
  axesOf,
  axisOf,
  broadcast,
  dividedBy,
  isKnown,
  size,
  type Shape,
  times,
  unknownSizes,
} from '../dimensions';
import { type NodeView, type Rule, tensor } from '../rule';

const product = (factors: readonly Dimension[]): Dimension =>
  factors.reduce<Dimension>((total, factor) => times(total, factor), 1);

/**
 * The one size that a Reshape leaves open: elements of the input over the other sizes. Symbolic sizes on both sides cancel.
 * `copied` holds the input axes that a 0 took over.
 */
function remainder(
  input: Shape,
  others: readonly Dimension[],
  copied: ReadonlySet<number>,
): Dimension {
  const above = input.filter((_, axis) => !copied.has(axis));
  const below: Dimension[] = [];
  for (const other of others) {
    const match = typeof other === 'string' ? above.indexOf(other) : -1;
    if (match >= 0) above.splice(match, 1);
    else below.push(other);
  }
  const open = above.filter(length => typeof length !== 'number');
  const divisor = product(below);
  if (open.length === 0) return dividedBy(product(above), divisor);
  const known = product(above.filter(length => typeof length === 'number'));
  return open.length === 1 && known === divisor && known !== 0 ? (open[0] ?? null) : null;
}

/** Reshape's output from input and requested shape: 0 copies (unless `allowzero`), −1 is what remains. */
function reshaped(input: Shape | null, target: readonly Dimension[], allowZero: boolean): Shape {
  const copied = new Set<number>();
  const result = target.map((length, axis) => {
    if (length === 0 && !allowZero) {
      copied.add(axis);
      return input?.[axis] ?? null;
    }
    return length === -1 ? null : length;
  });
  const isOpen = (axis: number) => target[axis] === -1 || target[axis] === null;
  const open = result.flatMap((_, axis) => (isOpen(axis) ? [axis] : []));
  const [only] = open;
  if (only === undefined || open.length > 1 || input === null) return result;
  const others = result.filter((_, axis) => axis !== only && !copied.has(axis));
  return result.map((length, axis) => (axis === only ? remainder(input, others, copied) : length));
}

/** Reshape: the shape is an attribute before version 5, an input since; `allowzero` since 14. */
export const reshape: Rule = node => {
  const target = node.has(1) ? node.elements(1) : node.ints('shape');
  const type = node.dtype(0);
  if (target !== null)
    return [tensor(type, reshaped(node.shape(0), target, node.int('allowzero', 0) !== 0))];
  const rank = node.sizeAt(1, 0);
  return [tensor(type, typeof rank === 'number' ? unknownSizes(rank) : null)];
};

/** Flatten: two axes, cut at `axis`. */
export const flatten: Rule = node => {
  const shape = node.shape(0);
  if (shape === null) return [tensor(node.dtype(0), [null, null])];
  const axis = node.int('axis', 1);
  const cut = axis < 0 ? axis + shape.length : axis;
  return [tensor(node.dtype(0), [product(shape.slice(0, cut)), product(shape.slice(cut))])];
};

/** Squeeze: the axes are an attribute before version 13, an input since; without axes every size of 1 goes. */
export const squeeze: Rule = node => {
  const shape = node.shape(0);
  const axes = node.attributeOrInput('axes', 1);
  const type = node.dtype(0);
  if (shape === null || axes === 'unknown') return [tensor(type, null)];
  if (axes === 'absent')
    return [tensor(type, isKnown(shape) ? shape.filter(length => length !== 1) : null)];
  const gone = axesOf(axes, shape.length);
  return [tensor(type, gone === null ? null : shape.filter((_, axis) => !gone.includes(axis)))];
};

/** Unsqueeze: the axes count in the output; an attribute before version 13, an input since. */
export const unsqueeze: Rule = node => {
  const shape = node.shape(0);
  const axes = node.attributeOrInput('axes', 1);
  const type = node.dtype(0);
  if (shape === null) return [tensor(type, null)];
  if (typeof axes === 'string') {
    const added = node.sizeAt(1, 0);
    const rank = typeof added === 'number' ? shape.length + added : -1;
    return [tensor(type, unknownSizes(rank))];
  }
  const rank = shape.length + axes.length;
  const added = new Set(axesOf(axes, rank) ?? []);
  if (added.size !== axes.length) return [tensor(type, null)];
  const rest = shape.values();
  const result = Array.from({ length: rank }, (_, axis) =>
    added.has(axis) ? 1 : (rest.next().value ?? null),
  );
  return [tensor(type, result)];
};

/** Transpose: the axes in the order of `perm`, reversed without it. */
export const transpose: Rule = node => {
  const shape = node.shape(0);
  if (shape === null) {
    const order = node.ints('perm');
    return [tensor(node.dtype(0), order === null ? null : unknownSizes(order.length))];
  }
  const order = node.ints('perm') ?? shape.map((_, axis) => shape.length - 1 - axis);
  const valid = order.length === shape.length && axesOf(order, shape.length) !== null;
  return [tensor(node.dtype(0), valid ? order.map(axis => shape.at(axis) ?? null) : null)];
};

/** Expand: broadcast with the shape in input 1. */
export const expand: Rule = node => {
  const target = node.elements(1);
  const rank = node.sizeAt(1, 0);
  const shape = target ?? (typeof rank === 'number' ? unknownSizes(rank) : null);
  return [tensor(node.dtype(0), broadcast([node.shape(0), shape]))];
};

/** Tile: each size times its repeat. */
export const tile: Rule = node => {
  const shape = node.shape(0);
  const repeats = node.elements(1);
  const result =
    repeats === null
      ? unknownSizes(shape?.length ?? -1)
      : shape?.map((length, axis) => times(length, repeats[axis] ?? null));
  return [tensor(node.dtype(0), result ?? null)];
};

/** The last sizes multiplied by a factor each, channels divided (DepthToSpace) or multiplied (SpaceToDepth) by its square. */
const blocks = (node: NodeView, toSpace: boolean): Shape | null => {
  const shape = node.shape(0);
  const block = node.int('blocksize', 1);
  if (shape?.length !== 4) return null;
  const [batch = null, channels = null, rows = null, columns = null] = shape;
  const area = size(block * block);
  return toSpace
    ? [batch, dividedBy(channels, area), times(rows, block), times(columns, block)]
    : [batch, times(channels, area), dividedBy(rows, block), dividedBy(columns, block)];
};
export const depthToSpace: Rule = node => [tensor(node.dtype(0), blocks(node, true))];
export const spaceToDepth: Rule = node => [tensor(node.dtype(0), blocks(node, false))];

/** Shape (with `start` and `end` since version 15) and Size; their elements are found in elements.ts. */
export const shapeOf: Rule = node => {
  const shape = node.shape(0);
  if (shape === null) return [tensor('int64', [null])];
  return [
    tensor('int64', [shape.slice(node.int('start', 0), node.int('end', shape.length)).length]),
  ];
};
export const sizeOf: Rule = () => [tensor('int64', [])];

/** ReverseSequence, Trilu … keep the shape; Compress drops a number of entries that only a run can tell. */
export const compress: Rule = node => {
  const shape = node.shape(0);
  if (!node.hasAttribute('axis')) return [tensor(node.dtype(0), [null])];
  const axis = axisOf(node.int('axis', 0), shape?.length ?? 0);
  const result =
    axis === null
      ? null
      : (shape?.map((length, index) => (index === axis ? null : length)) ?? null);
  return [tensor(node.dtype(0), result)];
};
