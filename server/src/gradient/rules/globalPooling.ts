import type { Rule } from '../rule';
import { normGradient } from './norms';

/** The mean of each channel. */
export const globalAveragePool: Rule = {
  ops: ['GlobalAveragePool'],
  vjp: (n, e) => [
    () => {
      const shape = n.x().shape;
      const count = shape.slice(2).reduce((a, b) => a * b, 1);
      return e.expand(e.scale(n.dy, 1 / count), shape);
    },
  ],
};

/** The largest value of each channel: the first of several in row-major order gets the gradient. */
export const globalMaxPool: Rule = {
  ops: ['GlobalMaxPool'],
  vjp: (n, e) => [
    () => {
      const { shape } = n.x();
      const [batch = 1, channels = 1] = shape;
      const count = shape.slice(2).reduce((a, b) => a * b, 1);
      const positions = e.reshape(n.x(), [batch, channels, count]);
      const first = e.node('ArgMax', [positions], { axis: 2, keepdims: 1 });
      const dy = e.reshape(n.dy, [batch, channels, 1]);
      return e.reshape(e.masked(dy, e.equal(e.range(count), first)), shape);
    },
  ],
};

/** The p-norm of each channel. */
export const globalLpPool: Rule = {
  ops: ['GlobalLpPool'],
  vjp: (n, e) => [() => normGradient(e, n.x(), n.y(), n.dy, n.int('p', 2))],
};
