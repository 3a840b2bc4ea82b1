import type { Rule } from '../rule';

/** The sum and the mean of the operands. */
export const sums: Rule = {
  ops: ['Sum', 'Mean'],
  vjp: (n, e) => {
    const share = n.op === 'Mean' ? 1 / n.inputCount : 1;
    return Array.from(
      { length: n.inputCount },
      (_, i) => () => e.scale(e.sumTo(n.dy, n.x(i).shape), share),
    );
  },
};
