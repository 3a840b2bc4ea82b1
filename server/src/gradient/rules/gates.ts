import type { Operators } from '../operators';
import type { Rule, RuleNode } from '../rule';
import type { Value } from '../value';
import { oneMinus } from './unary';

/** x · σ(αx): σ + αx · σ · (1 − σ). */
function swishSlope(e: Operators, x: Value, alpha: number): Value {
  const scaled = e.scale(x, alpha);
  const gate = e.node('Sigmoid', [scaled]);
  return e.mul(gate, e.offset(e.mul(scaled, oneMinus(e, gate)), 1));
}

/** x · tanh(softplus(x)): t + x · σ(x) · (1 − t²). */
function mishSlope(e: Operators, x: Value): Value {
  const gate = e.node('Tanh', [e.node('Softplus', [x])]);
  const rise = e.mul(e.node('Sigmoid', [x]), oneMinus(e, e.square(gate)));
  return e.add(gate, e.mul(x, rise));
}

/** x · Φ(x) with the normal distribution: Φ + x · φ (Hendrycks and Gimpel 2016, arXiv 1606.08415). */
function geluSlope(e: Operators, x: Value): Value {
  const distribution = e.scale(e.offset(e.node('Erf', [e.scale(x, Math.SQRT1_2)]), 1), 0.5);
  const density = e.scale(e.exp(e.scale(e.square(x), -0.5)), 1 / Math.sqrt(2 * Math.PI));
  return e.add(distribution, e.mul(x, density));
}

/** x · (1 + tanh u) / 2 with u = √(2/π) · (x + 0.044715 x³): ½ (1 + t) + ½ x · (1 − t²) · u′. */
function tanhGeluSlope(e: Operators, x: Value): Value {
  const [root, cubic] = [Math.sqrt(2 / Math.PI), 0.044715];
  const square = e.square(x);
  const inner = e.mul(x, e.offset(e.scale(square, root * cubic), root));
  const gate = e.node('Tanh', [inner]);
  const rise = e.offset(e.scale(square, 3 * root * cubic), root);
  const bend = e.mul(e.mul(x, rise), oneMinus(e, e.square(gate)));
  return e.scale(e.add(e.offset(gate, 1), bend), 0.5);
}

function slopeOf(n: RuleNode, e: Operators): Value {
  switch (n.op) {
    case 'Swish':
      return swishSlope(e, n.x(), n.float('alpha', 1));
    case 'QuickGelu':
      return swishSlope(e, n.x(), n.float('alpha', 1.702));
    case 'Mish':
      return mishSlope(e, n.x());
    default:
      return n.string('approximate', 'none') === 'tanh'
        ? tanhGeluSlope(e, n.x())
        : geluSlope(e, n.x());
  }
}

/** Activations x · gate(x): Swish (SiLU), Mish, Gelu in its exact and its tanh form, and those of com.microsoft. */
export const gates: Rule = {
  ops: ['Swish', 'Mish', 'Gelu', 'com.microsoft.Gelu', 'com.microsoft.QuickGelu'],
  vjp: (n, e) => [() => e.mul(n.dy, slopeOf(n, e))],
};

/** Gelu in its tanh form of x + bias; the bias, one number for each place of the last axis, may be left out. */
export const fastGelu: Rule = {
  ops: ['com.microsoft.FastGelu'],
  vjp: (n, e) => {
    const sum = n.has(1) ? e.add(n.x(0), n.x(1)) : n.x(0);
    const gradient = e.mul(n.dy, tanhGeluSlope(e, sum));
    return [() => gradient, () => e.sumTo(gradient, n.x(1).shape)];
  },
};
