import type { Rule } from '../rule';

/** y = a where the condition holds, else b. The condition is a constant of the run. */
export const where: Rule = {
  ops: ['Where'],
  vjp: (n, e) => [
    null,
    () => e.sumTo(e.node('Where', [n.x(0), n.dy, e.scalar(n.dy, 0)]), n.x(1).shape),
    () => e.sumTo(e.node('Where', [n.x(0), e.scalar(n.dy, 0), n.dy]), n.x(2).shape),
  ],
};
