import { axisFrom0, type Operators } from '../operators';
import type { Rule } from '../rule';
import type { Value } from '../value';

/** A norm to divide by: 1 where it is 0. */
const divisor = (e: Operators, norm: Value): Value =>
  e.add(norm, e.asNumber(e.not(e.greater(norm, e.scalar(norm, 0))), norm.dtype));

/**
 * The gradient of norms ‖x‖ₚ = (Σ |xᵢ|ᵖ)^(1/p): dy · sign(xᵢ) · (|xᵢ| / ‖x‖)ᵖ⁻¹, 0 where the norm is 0. `norm` and `dy` have size 1 along the axes
 * of the sum.
 */
export function normGradient(e: Operators, x: Value, norm: Value, dy: Value, p: number): Value {
  if (p === 1) return e.mul(dy, e.sign(x));
  if (p === 2) return e.mul(x, e.div(dy, divisor(e, norm)));
  const share = e.pow(e.div(e.abs(x), divisor(e, norm)), p - 1);
  return e.mul(e.mul(dy, e.sign(x)), share);
}

/** y = x / ‖x‖ₚ along an axis: (dy − ‖x‖′ · Σ dy · y) / ‖x‖, and 0 where the norm is 0. p is 1 or 2. */
export const lpNormalization: Rule = {
  ops: ['LpNormalization'],
  vjp: (n, e) => [
    () => {
      const x = n.x();
      const axes = [axisFrom0(n.int('axis', -1), x.shape.length)];
      const p = n.int('p', 2);
      const norm = p === 1 ? e.reduceSum(e.abs(x), axes) : e.sqrt(e.reduceSum(e.square(x), axes));
      const along = e.reduceSum(e.mul(n.dy, n.y()), axes);
      const across = e.sub(n.dy, normGradient(e, x, norm, along, p));
      return e.masked(e.div(across, divisor(e, norm)), e.greater(norm, e.scalar(norm, 0)));
    },
  ],
};
