import type { Rule } from '../rule';

/** y = a − trunc(a / b) · b, the only form for floats (`fmod` 1); the quotient counts as a constant. */
export const mod: Rule = {
  ops: ['Mod'],
  vjp: (n, e) => [
    () => e.sumTo(n.dy, n.x(0).shape),
    () => {
      const quotient = e.div(e.sub(n.y(), n.x(0)), n.x(1));
      return e.sumTo(e.mul(n.dy, quotient), n.x(1).shape);
    },
  ],
};
