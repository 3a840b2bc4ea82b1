import { test } from 'vitest';
import { attributesOf } from './attributes';
import { checkVjp } from './checkVjp';

const x = { shape: [1, 2, 2, 2] };
const places = (values: readonly number[]) => ({
  shape: [1, 2, 2, 2],
  dtype: 'int64' as const,
  values,
});
const attributes = attributesOf({ kernel_shape: [2, 2], strides: [2, 2] });

test.each([9, 11, 22])('MaxUnpool at opset %i', opset =>
  checkVjp('MaxUnpool', {
    opset,
    inputs: [x, places([5, 2, 8, 15, 16, 19, 29, 31])],
    attributes,
  }),
);

test('MaxUnpool to a larger shape', () =>
  checkVjp('MaxUnpool', {
    opset: 11,
    inputs: [
      x,
      places([6, 3, 10, 23, 26, 29, 45, 49]),
      { shape: [4], dtype: 'int64', values: [1, 2, 5, 5], constant: true },
    ],
    attributes,
  }));
