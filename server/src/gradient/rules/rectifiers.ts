import type { Operators } from '../operators';
import type { Rule, RuleNode } from '../rule';
import type { Value } from '../value';

const isPositive = (e: Operators, a: Value): Value => e.greater(a, e.scalar(a, 0));

/** dy where x > 0, else this. */
const elsePositive = (n: RuleNode, e: Operators, otherwise: Value): Value =>
  e.select(isPositive(e, n.x()), n.dy, otherwise);

/** dy · f′(x) of functions that are pieced together; the slope at a joint is that of the side that PyTorch takes. */
const GRADIENTS: readonly (readonly [string, (n: RuleNode, e: Operators) => Value])[] = [
  ['Elu', (n, e) => elsePositive(n, e, e.mul(n.dy, e.offset(n.y(), n.float('alpha', 1))))],
  [
    'Celu',
    (n, e) => elsePositive(n, e, e.mul(n.dy, e.offset(e.scale(n.y(), 1 / n.float('alpha', 1)), 1))),
  ],
  [
    'Selu',
    (n, e) => {
      const alpha = n.float('alpha', 1.6732632423543772);
      const gamma = n.float('gamma', 1.0507009873554805);
      const below = e.offset(n.y(), alpha * gamma);
      return e.mul(n.dy, e.select(isPositive(e, n.x()), e.scalar(n.dy, gamma), below));
    },
  ],
  ['LeakyRelu', (n, e) => elsePositive(n, e, e.scale(n.dy, n.float('alpha', 0.01)))],
  [
    'ThresholdedRelu',
    (n, e) => e.gated(n.dy, e.greater(n.x(), e.scalar(n.x(), n.float('alpha', 1)))),
  ],
  [
    'Shrink',
    (n, e) => e.gated(n.dy, e.greater(e.abs(n.x()), e.scalar(n.x(), n.float('lambd', 0.5)))),
  ],
  [
    'HardSigmoid',
    (n, e) => {
      const inside = e.and(isPositive(e, n.y()), e.less(n.y(), e.scalar(n.y(), 1)));
      return e.gated(e.scale(n.dy, n.float('alpha', 0.2)), inside);
    },
  ],
  [
    'HardSwish',
    (n, e) => {
      const [lower, upper] = [e.scalar(n.x(), -3), e.scalar(n.x(), 3)];
      const inside = e.offset(e.scale(n.x(), 1 / 3), 0.5);
      const bounded = e.masked(inside, e.greater(n.x(), lower));
      return e.mul(n.dy, e.select(e.less(n.x(), upper), bounded, e.scalar(n.x(), 1)));
    },
  ],
];

/** Activations that are linear or exponential piece by piece; Relu, with its modes, is in a file of its own. */
export const rectifiers: readonly Rule[] = GRADIENTS.map(([op, gradient]) => ({
  ops: [op],
  vjp: (n, e) => [() => gradient(n, e)],
}));

/** y = x where x > 0, else slope · x; the slope broadcasts. */
export const pRelu: Rule = {
  ops: ['PRelu'],
  vjp: (n, e) => [
    () => elsePositive(n, e, e.mul(n.dy, n.x(1))),
    () => {
      const negative = e.less(n.x(), e.scalar(n.x(), 0));
      return e.sumTo(e.masked(e.mul(n.dy, n.x()), negative), n.x(1).shape);
    },
  ],
};

/** One of Clip's bounds: an attribute before version 11, then an input; null where there is none. */
function bound(n: RuleNode, e: Operators, name: string, index: number): Value | null {
  if (n.has(index)) return n.x(index);
  return n.hasAttribute(name) ? e.scalar(n.x(), n.float(name, 0)) : null;
}

/** Whether a bound is known to be 0: then y is never negative, and what of it is not 0 lies above. */
const isZero = (n: RuleNode, name: string, index: number): boolean =>
  n.has(index) ? n.numbers(index)?.[0] === 0 : n.float(name, NaN) === 0;

/**
 * y = min(max(x, lowest), highest): the slope is 1 strictly between the bounds, and a bound gets the gradient of what it holds back. Where
 * the bounds are the wrong way round, that is the upper one.
 */
export const clip: Rule = {
  ops: ['Clip'],
  vjp: (n, e) => {
    const [min, max] = [bound(n, e, 'min', 1), bound(n, e, 'max', 2)];
    return [
      () => {
        // of y, so that ONNX Runtime can go on fusing the Clip into what gives x; at a bound y is the bound
        const above = min && (isZero(n, 'min', 1) ? e.cast(n.y(), 'bool') : e.greater(n.y(), min));
        const below = max && e.less(n.y(), max);
        const inside = above && below ? e.and(above, below) : (above ?? below);
        return inside === null ? n.dy : e.gated(n.dy, inside);
      },
      () => {
        const held = e.less(n.x(), n.x(1));
        const holding = max ? e.and(held, e.less(n.x(1), max)) : held;
        return e.sumTo(e.masked(n.dy, holding), n.x(1).shape);
      },
      () => {
        const raised = min ? e.node('Max', [n.x(), min]) : n.x();
        return e.sumTo(e.masked(n.dy, e.greater(raised, n.x(2))), n.x(2).shape);
      },
    ];
  },
};
