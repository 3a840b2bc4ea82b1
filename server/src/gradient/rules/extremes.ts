import type { Rule } from '../rule';

/** y = the largest or smallest of the operands. Operands that are equal to it share the gradient evenly, as PyTorch and JAX have it. */
export const extremes: Rule = {
  ops: ['Max', 'Min'],
  vjp: (n, e) => {
    const operands = Array.from({ length: n.inputCount }, (_, i) => n.x(i));
    const masks = operands.map(operand => e.equal(operand, n.y()));
    const count = e.sum(masks.map(mask => e.asNumber(mask, n.dy.dtype)));
    const share = e.div(n.dy, count);
    return masks.map((mask, i) => () => e.sumTo(e.masked(share, mask), n.x(i).shape));
  },
};
