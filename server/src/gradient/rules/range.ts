import type { Rule } from '../rule';

/** y = start + i · delta. The limit decides how many there are, nothing else. */
export const range: Rule = {
  ops: ['Range'],
  vjp: (n, e) => [
    () => e.reshape(e.reduceSum(n.dy, [0]), n.x().shape),
    null,
    () => {
      const [count = 0] = n.dy.shape;
      const numbers = e.floats(n.dy.dtype, [count], [...Array(count).keys()]);
      return e.reshape(e.reduceSum(e.mul(n.dy, numbers), [0]), n.x(2).shape);
    },
  ],
};
