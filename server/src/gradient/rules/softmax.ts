import { axisFrom0 } from '../operators';
import type { Rule, RuleNode } from '../rule';

/** The axes that sum to one: from version 13 a single one, the last by default; before, all from `axis` on, by default 1. */
function normalizedAxes(n: RuleNode): readonly number[] {
  const rank = n.x().shape.length;
  const single = n.version >= 13;
  const first = axisFrom0(n.int('axis', single ? -1 : 1), rank);
  return single ? [first] : Array.from({ length: rank - first }, (_, i) => first + i);
}

/** y = exp(x) / Σ exp(x): y · (dy − Σ dy · y). */
export const softmax: Rule = {
  ops: ['Softmax'],
  vjp: (n, e) => [
    () => {
      const mean = e.reduceSum(e.mul(n.dy, n.y()), normalizedAxes(n));
      return e.mul(n.y(), e.sub(n.dy, mean));
    },
  ],
};

/** y = x − ln Σ exp(x): dy − exp(y) · Σ dy. */
export const logSoftmax: Rule = {
  ops: ['LogSoftmax'],
  vjp: (n, e) => [() => e.sub(n.dy, e.mul(e.exp(n.y()), e.reduceSum(n.dy, normalizedAxes(n))))],
};
