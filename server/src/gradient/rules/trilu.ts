import type { Rule } from '../rule';

/** One triangle of each matrix; the rest is 0, and so is its gradient. */
export const trilu: Rule = {
  ops: ['Trilu'],
  vjp: (n, e) => [
    () => e.node('Trilu', [n.dy, n.has(1) ? n.x(1) : null], { upper: n.int('upper', 1) }),
  ],
};
