import { describe, test } from 'vitest';
import { attributesOf } from './attributes';
import { checkVjp, type CaseTensor } from './checkVjp';

const bounds = (values: readonly number[] | null, constant: boolean): CaseTensor | null =>
  values && { shape: [values.length], dtype: 'int64', values, constant };

const LAST = 2 ** 31 - 1;

describe.each([7, 9])('Slice with attributes at opset %i', opset => {
  test.each([
    [
      [1, 0],
      [3, 2],
      [1, 2],
    ],
    [[-2], [LAST], [2]],
    [[0, 1], [1, LAST], undefined],
  ])('from %j to %j on %j', (starts, ends, axes) =>
    checkVjp('Slice', {
      opset,
      inputs: [{ shape: [2, 4, 5] }],
      attributes: attributesOf({ starts, ends, ...(axes ? { axes } : {}) }),
    }),
  );
});

describe.each([10, 11, 13])('Slice with inputs at opset %i', opset => {
  test.each([
    [[1, 0], [3, 2], [1, 2], null],
    [[0, 1], [1, LAST], null, null],
    [[0], [LAST], [1], [2]],
    [
      [1, 0],
      [LAST, 3],
      [2, 1],
      [3, 2],
    ],
    [[-1], [-LAST], [1], [-1]],
    [
      [3, 4],
      [0, -LAST],
      [1, 2],
      [-2, -3],
    ],
    [
      [-2, 0],
      [LAST, 2],
      [-1, -2],
      [1, 1],
    ],
    [[3], [1], [1], null],
    [[0], [100], [2], [7]],
  ])('from %j to %j on %j by %j', async (starts, ends, axes, steps) => {
    for (const constant of [true, false])
      await checkVjp('Slice', {
        opset,
        inputs: [
          { shape: [2, 4, 5] },
          ...[starts, ends, axes, steps].map(values => bounds(values, constant)),
        ],
      });
  });
});

test('Slice in float64', () =>
  checkVjp('Slice', {
    opset: 17,
    inputs: [
      { shape: [7, 3], dtype: 'float64' },
      ...[[5], [0], [0], [-2]].map(values => bounds(values, true)),
    ],
  }));
