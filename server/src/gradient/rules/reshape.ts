import type { Rule } from '../rule';

/** The same elements in another shape. */
export const reshape: Rule = {
  ops: ['Reshape', 'Flatten', 'Squeeze', 'Unsqueeze', 'com.microsoft.ExpandDims'],
  vjp: (n, e) => [() => e.reshape(n.dy, n.x().shape)],
};
