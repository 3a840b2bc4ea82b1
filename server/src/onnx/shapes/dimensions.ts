import type { Dimension } from '../../../../protocol/model';

/** A shape whose rank is known; each size is a number, a symbolic name, or null. */
export type Shape = readonly Dimension[];

/** Shapes of a higher rank are treated as unknown, so that hostile files cannot make the work quadratic. */
export const MAX_RANK = 64;

/** A size that is a whole number from 0 to 2^53 − 1; anything else is not a size and gives null. */
export const size = (value: number): number | null =>
  Number.isSafeInteger(value) && value >= 0 ? value : null;

/** True where every size is a number. */
export const isKnown = (shape: Shape | null): shape is readonly number[] =>
  shape !== null && shape.every(dimension => typeof dimension === 'number');

/** `rank` sizes of which nothing is known; null beyond `MAX_RANK`. */
export const unknownSizes = (rank: number): Shape | null =>
  rank >= 0 && rank <= MAX_RANK ? new Array<Dimension>(rank).fill(null) : null;

/** Number of elements; null where it is unknown or not a safe integer. */
export function knownCount(shape: Shape | null): number | null {
  if (!isKnown(shape)) return null;
  return size(shape.reduce((product, length) => product * length, 1));
}

/** The axis from 0 for one that may count from the end; null where it is outside the rank. */
export function axisOf(axis: number, rank: number): number | null {
  const positive = axis < 0 ? axis + rank : axis;
  return Number.isInteger(positive) && positive >= 0 && positive < rank ? positive : null;
}

/** All axes from 0; null where one of them is outside the rank. */
export function axesOf(axes: readonly number[], rank: number): readonly number[] | null {
  const result: number[] = [];
  for (const axis of axes) {
    const positive = axisOf(axis, rank);
    if (positive === null) return null;
    result.push(positive);
  }
  return result;
}

/** The shape with one size replaced; the axis counts from 0. */
export const withSize = (shape: Shape, axis: number, value: Dimension): Shape =>
  shape.map((dimension, index) => (index === axis ? value : dimension));

/** Multidirectional broadcasting of two sizes (ONNX "Broadcasting"): 1 gives way, equal sizes stay. */
function broadcastSize(a: Dimension, b: Dimension): Dimension {
  if (a === 1) return b;
  if (b === 1) return a;
  if (typeof a === 'number') return a;
  if (typeof b === 'number') return b;
  return a !== null && a === b ? a : null;
}

/** Multidirectional broadcasting of shapes; null where the rank of one of them is unknown. */
export function broadcast(shapes: readonly (Shape | null)[]): Shape | null {
  let result: Shape = [];
  for (const shape of shapes) {
    if (shape === null) return null;
    const [long, short] = shape.length >= result.length ? [shape, result] : [result, shape];
    const offset = long.length - short.length;
    result = long.map((dimension, index) =>
      index < offset ? dimension : broadcastSize(dimension, short[index - offset] ?? null),
    );
  }
  return result;
}

/** The size that two sources agree on; null where they differ or one of them is open. */
export const agreed = (a: Dimension, b: Dimension): Dimension => (a === b ? a : null);

/** Size by size what two shapes agree on; null where the ranks differ. */
export function agreedShape(a: Shape | null, b: Shape | null): Shape | null {
  if (a === null || b === null || a.length !== b.length) return null;
  return a.map((dimension, index) => agreed(dimension, b[index] ?? null));
}

/** a + b where both are known, or where one of them is 0. */
export function plus(a: Dimension, b: Dimension): Dimension {
  if (typeof a === 'number' && typeof b === 'number') return size(a + b);
  if (a === 0) return b;
  return b === 0 ? a : null;
}

/** a · b where both are known, or where one of them is 1. */
export function times(a: Dimension, b: Dimension): Dimension {
  if (typeof a === 'number' && typeof b === 'number') return size(a * b);
  if (a === 1) return b;
  return b === 1 ? a : null;
}

/** a / b where both are known and it comes out even, or where b is 1. */
export function dividedBy(a: Dimension, b: Dimension): Dimension {
  if (typeof a === 'number' && typeof b === 'number') return b > 0 ? size(a / b) : null;
  return b === 1 ? a : null;
}
