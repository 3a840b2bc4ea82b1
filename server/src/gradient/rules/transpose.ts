import type { Rule } from '../rule';

/** The axes in the order of `perm`, reversed without it: the gradient goes back by the inverse permutation. */
export const transpose: Rule = {
  ops: ['Transpose'],
  vjp: (n, e) => [
    () => {
      const rank = n.x().shape.length;
      const order = n.ints('perm') ?? Array.from({ length: rank }, (_, axis) => rank - 1 - axis);
      const inverse = Array.from({ length: rank }, (_, axis) => order.indexOf(axis));
      return e.transpose(n.dy, inverse);
    },
  ],
};
