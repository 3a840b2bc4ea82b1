import type { Rule } from '../rule';

/**
 * y = max(x, 0); the derivative at exactly 0 is 0. Guided backpropagation and deconvolution change this operator only: see `GradientMode`.
 */
export const relu: Rule = {
  ops: ['Relu'],
  vjp: (n, e) => [
    () => {
      const positive = n.mode === 'gradient' ? n.dy : e.node('Relu', [n.dy]);
      // y is never negative: whatever of it is not zero passes
      return n.mode === 'deconvolution' ? positive : e.gated(positive, e.cast(n.y(), 'bool'));
    },
  ],
};
