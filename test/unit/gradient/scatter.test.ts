import { describe, test } from 'vitest';
import { attributesOf } from './attributes';
import { checkVjp, type CaseTensor } from './checkVjp';

const indices = (shape: readonly number[], values: readonly number[]): CaseTensor => ({
  shape,
  dtype: 'int64',
  values,
});

describe.each([
  ['Scatter', 9],
  ['Scatter', 10],
  ['ScatterElements', 11],
  ['ScatterElements', 13],
  ['ScatterElements', 18],
])('%s at opset %i', (op, opset) => {
  test.each([
    [0, [2, 3], [0, 1, 2, 2, 0, 1]],
    [1, [3, 2], [0, 3, 1, 0, 2, 1]],
  ])('along %i by %j of %j', (axis, shape, values) =>
    checkVjp(op, {
      opset,
      inputs: [{ shape: [3, 4] }, indices(shape, values), { shape }],
      attributes: attributesOf({ axis }),
    }),
  );
});

describe.each([11, 13, 16, 18])('ScatterND at opset %i', opset => {
  test.each([
    [
      [2, 1],
      [1, -3],
      [2, 4],
    ],
    [[3, 2], [0, 1, 2, -1, 1, 1], [3]],
    [
      [1, 2, 1],
      [2, 0],
      [1, 2, 4],
    ],
  ])('by %j of %j', (shape, values, updates) =>
    checkVjp('ScatterND', {
      opset,
      inputs: [
        { shape: [3, 4], dtype: 'float64' },
        indices(shape, values),
        { shape: updates, dtype: 'float64' },
      ],
    }),
  );
});

/** Some elements are written twice, and some updates are the extreme, so that all branches of the reductions are passed. */
describe.each([
  [16, 'add'],
  [16, 'mul'],
  [18, 'add'],
  [18, 'mul'],
  [18, 'max'],
  [18, 'min'],
])('at opset %i with reduction %s', (opset, reduction) => {
  test.each([
    [0, [3, 3], [0, 1, 2, 0, 0, 1, 2, 0, 1]],
    [-1, [2, 4], [0, 3, 3, -2, 1, 1, 1, -1]],
  ])('ScatterElements along %i by %j of %j', (axis, shape, values) =>
    checkVjp('ScatterElements', {
      opset,
      inputs: [{ shape: [3, 4] }, indices(shape, values), { shape }],
      attributes: attributesOf({ axis, reduction }),
    }),
  );
  test('ScatterND', () =>
    checkVjp('ScatterND', {
      opset,
      inputs: [{ shape: [3, 4] }, indices([4, 1], [0, 2, -1, 2]), { shape: [4, 4] }],
      attributes: attributesOf({ reduction }),
    }));
});

test('the gradient of a factor is right where it is 0, and where another of the same element is', () =>
  checkVjp('ScatterElements', {
    opset: 18,
    inputs: [
      { shape: [3], values: [2, -3, 0] },
      indices([5], [0, 0, 1, 1, 2]),
      { shape: [5], values: [0, 4, 0, 0, 0] },
    ],
    attributes: attributesOf({ reduction: 'mul' }),
  }));
