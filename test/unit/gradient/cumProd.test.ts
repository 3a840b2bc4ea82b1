import { describe, test } from 'vitest';
import { attributesOf } from './attributes';
import { checkVjp } from './checkVjp';

const axisOf = (axis: number) => ({ shape: [], dtype: 'int64', values: [axis] }) as const;

describe.each([
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
])('CumProd, exclusive %i, reverse %i', (exclusive, reverse) => {
  test.each([
    [[5], 0],
    [[2, 7, 3], 1],
    [[3, 4], -1],
    [[1, 3], 0],
  ])('of %j along %i', (shape, axis) =>
    checkVjp('CumProd', {
      opset: 26,
      inputs: [{ shape, from: 0.5, to: 1.5, dtype: 'float64' }, axisOf(axis)],
      attributes: attributesOf({ exclusive, reverse }),
    }),
  );
  test('of zeros', () =>
    checkVjp('CumProd', {
      opset: 26,
      inputs: [{ shape: [6], values: [2, 0, 3, -1, 0, 5] }, axisOf(0)],
      attributes: attributesOf({ exclusive, reverse }),
    }));
});
