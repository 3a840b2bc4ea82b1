import type { Rule } from '../rule';

/** Sums of what is up to each place along an axis: the gradient sums what is from there on. */
export const cumSum: Rule = {
  ops: ['CumSum'],
  vjp: (n, e) => [
    () =>
      e.node('CumSum', [n.dy, n.x(1)], {
        exclusive: n.int('exclusive', 0),
        reverse: 1 - n.int('reverse', 0),
      }),
  ],
};
