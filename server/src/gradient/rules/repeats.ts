import type { Rule } from '../rule';

/** Broadcast to a shape. */
export const expand: Rule = {
  ops: ['Expand'],
  vjp: (n, e) => [() => e.sumTo(n.dy, n.x().shape)],
};

/** Copies beside each other along each axis: read as [repeats, size] per axis, the gradient is summed over the repeats. */
export const tile: Rule = {
  ops: ['Tile'],
  vjp: (n, e) => [
    () => {
      const { shape } = n.x();
      if (shape.includes(0)) return e.zeros(n.x());
      const repeats = shape.map((size, axis) => (n.dy.shape[axis] ?? 0) / size);
      const apart = shape.flatMap((size, axis) => [repeats[axis] ?? 1, size]);
      const repeated = repeats.flatMap((count, axis) => (count === 1 ? [] : [2 * axis]));
      return e.reshape(e.reduceSum(e.reshape(n.dy, apart), repeated), shape);
    },
  ],
};
