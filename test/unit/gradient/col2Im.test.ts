import { test } from 'vitest';
import { attributesOf } from './attributes';
import { checkVjp } from './checkVjp';

const sizes = (...values: number[]) => ({
  shape: [values.length],
  values,
  dtype: 'int64' as const,
  constant: true,
});

test.each([
  [[2, 12, 8], [4, 5], [3, 2], {}],
  [[1, 8, 9], [5, 6], [2, 2], { strides: [2, 2], pads: [1, 0, 1, 1] }],
  [[1, 4, 9], [5, 5], [2, 2], { dilations: [2, 2] }],
] as const)(
  'Col2Im of %j to %j in blocks of %j with %j',
  async (shape, image, block, attributes) => {
    await checkVjp('Col2Im', {
      opset: 18,
      inputs: [{ shape }, sizes(...image), sizes(...block)],
      attributes: attributesOf(attributes),
    });
  },
);
