import { describe, test } from 'vitest';
import { checkVjp, type CaseTensor } from './checkVjp';

const vector = (values: readonly number[]): CaseTensor => ({
  shape: [values.length],
  dtype: 'int64',
  values,
});

describe.each([8, 13, 18])('Expand at opset %i', opset => {
  test.each([
    [[3, 1], [2, 3, 4], true],
    [[3, 4], [1, 1], true],
    [[1], [3], false],
    [[], [2, 3], true],
    [[2, 1, 3], [4, 1], false],
  ])('of %j to %j', (shape, to, constant) =>
    checkVjp('Expand', { opset, inputs: [{ shape }, { ...vector(to), constant }] }),
  );
});

describe.each([7, 13, 18])('Tile at opset %i', opset => {
  test.each([
    [[2, 3], [1, 1], true],
    [[2, 3], [3, 2], true],
    [[2, 1, 3], [1, 4, 2], false],
    [[3], [5], true],
  ])('of %j by %j', (shape, repeats, constant) =>
    checkVjp('Tile', { opset, inputs: [{ shape }, { ...vector(repeats), constant }] }),
  );
  test('in float64', () =>
    checkVjp('Tile', {
      opset,
      inputs: [{ shape: [2, 2], dtype: 'float64' }, vector([2, 1])],
    }));
});
