import type { Rule } from '../rule';

/** y = values[1] where the index says so, else values[0]. Indices and depth are constants of the run. */
export const oneHot: Rule = {
  ops: ['OneHot'],
  known: [1],
  vjp: (n, e) => [
    null,
    null,
    () => {
      const dtype = n.dy.dtype;
      const ones = e.node('OneHot', [n.x(0), n.x(1), e.floats(dtype, [2], [0, 1])], {
        axis: n.int('axis', -1),
      });
      const on = e.sumTo(e.mul(n.dy, ones), [1]);
      return e.concat([e.sub(e.sumTo(n.dy, [1]), on), on], 0);
    },
  ],
};
