import type { Rule } from '../rule';

/**
 * y = max(x, 0); the derivative at exactly 0 is 0. Guided backpropagation and deconvolution change this operator only: see `GradientMode`.
 */
export const relu: Rule = {
  ops: ['Relu'],
  vjp: (n, e) => [
    () => {
      if (n.mode === 'gradient') return e.mul(n.dy, e.sign(n.y()));
      const positive = e.node('Relu', [n.dy]);
      return n.mode === 'guided' ? e.mul(positive, e.sign(n.y())) : positive;
    },
  ],
};
