import type { Rule } from '../rule';

/** grid = base · θᵀ with base [points, axes + 1], the last axis' coordinate from −1 to 1 first and a one at the end. */
export const affineGrid: Rule = {
  ops: ['AffineGrid'],
  vjp: (n, e) => [
    () => {
      const [batch = 1, ...rest] = n.y().shape;
      const sizes = rest.slice(0, -1);
      const base = basePoints(sizes, n.int('align_corners', 0) !== 0);
      const points = base.length / (sizes.length + 1);
      const g = e.swapLast(e.reshape(n.dy, [batch, points, sizes.length]));
      return e.matMul(g, e.floats(g.dtype, [points, sizes.length + 1], base));
    },
  ],
};

/** For all points in row-major order: the coordinates of the axes, last one first, and 1. */
function basePoints(sizes: readonly number[], alignCorners: boolean): number[] {
  const along = (i: number, size: number): number => {
    if (alignCorners) return size === 1 ? -1 : (2 * i) / (size - 1) - 1;
    return (2 * i + 1) / size - 1;
  };
  const points = sizes.reduce<readonly (readonly number[])[]>(
    (sofar, size) =>
      sofar.flatMap(point => Array.from({ length: size }, (_, i) => [along(i, size), ...point])),
    [[1]],
  );
  return points.flat();
}
