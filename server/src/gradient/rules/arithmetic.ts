import type { Rule } from '../rule';

/** y = a + b. */
export const add: Rule = {
  ops: ['Add'],
  vjp: (n, e) => [() => e.sumTo(n.dy, n.x(0).shape), () => e.sumTo(n.dy, n.x(1).shape)],
};

/** y = a − b. */
export const sub: Rule = {
  ops: ['Sub'],
  vjp: (n, e) => [() => e.sumTo(n.dy, n.x(0).shape), () => e.sumTo(e.neg(n.dy), n.x(1).shape)],
};

/** y = a · b. */
export const mul: Rule = {
  ops: ['Mul'],
  vjp: (n, e) => [
    () => e.sumTo(e.mul(n.dy, n.x(1)), n.x(0).shape),
    () => e.sumTo(e.mul(n.dy, n.x(0)), n.x(1).shape),
  ],
};

/** y = a / b. */
export const div: Rule = {
  ops: ['Div'],
  vjp: (n, e) => [
    () => e.sumTo(e.div(n.dy, n.x(1)), n.x(0).shape),
    () => e.sumTo(e.neg(e.div(e.mul(n.dy, n.y()), n.x(1))), n.x(1).shape),
  ],
};
