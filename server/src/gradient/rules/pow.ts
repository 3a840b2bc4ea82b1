import type { Operators } from '../operators';
import type { Rule, RuleNode } from '../rule';
import { isFloat, type Value } from '../value';

/**
 * y = aᵇ. With respect to a: b · aᵇ⁻¹, 0 where b is 0. With respect to b: y · ln a, 0 where a is 0 and NaN for negative bases, of which only
 * whole powers exist.
 */
export const pow: Rule = {
  ops: ['Pow'],
  vjp: (n, e) => [
    () => {
      const [exponent, another] = n.numbers(1) ?? [];
      const slope =
        exponent !== undefined && another === undefined
          ? slopeOfPower(e, n.x(0), exponent)
          : slopeOf(e, n.x(0), exponentOf(n, e));
      return slope === null ? e.zeros(n.x(0)) : e.sumTo(e.mul(n.dy, slope), n.x(0).shape);
    },
    isFloat(n.x(1).dtype)
      ? () => {
          const base = n.x(0);
          const logarithm = e.log(e.add(base, isZero(e, base)));
          const gradient = e.mul(e.mul(n.dy, n.y()), logarithm);
          return e.cast(e.sumTo(gradient, n.x(1).shape), n.x(1).dtype);
        }
      : null,
  ],
};

/** Exponents may have a type of their own, integers included, from opset 12 on. */
const exponentOf = (n: RuleNode, e: Operators): Value => e.cast(n.x(1), n.x(0).dtype);

/** p · aᵖ⁻¹ with a number p; null where that is 0. */
function slopeOfPower(e: Operators, base: Value, p: number): Value | null {
  if (p === 0) return null;
  if (p === 1) return e.scalar(base, 1);
  return e.scale(p === 2 ? base : e.pow(base, p - 1), p);
}

/** b · aᵇ⁻¹. Where b is 0 the power is a⁰ = 1, so that the product is 0 at a = 0 too. */
function slopeOf(e: Operators, base: Value, exponent: Value): Value {
  const lower = e.add(e.offset(exponent, -1), isZero(e, exponent));
  return e.mul(exponent, e.node('Pow', [base, lower]));
}

const isZero = (e: Operators, a: Value): Value => e.asNumber(e.equal(a, e.scalar(a, 0)), a.dtype);
