import { describe, test } from 'vitest';
import { attributesOf } from './attributes';
import { checkVjp, type CaseTensor } from './checkVjp';

const shape = (...values: number[]): CaseTensor => ({
  shape: [values.length],
  dtype: 'int64',
  values,
  constant: true,
});

describe.each([7, 11, 13, 14, 21, 25])('reshaping at opset %i', opset => {
  test.each([
    [
      [2, 3, 4],
      [4, 6],
    ],
    [
      [2, 3, 4],
      [0, -1],
    ],
    [[], [1, 1]],
    [[1], []],
  ])('Reshape %j to %j', (from, to) =>
    checkVjp('Reshape', { opset, inputs: [{ shape: from }, shape(...to)] }),
  );
  test.each([0, 1, 2, 3])('Flatten at %i', axis =>
    checkVjp('Flatten', {
      opset,
      inputs: [{ shape: [2, 3, 4] }],
      attributes: attributesOf({ axis }),
    }),
  );
  test('Squeeze and Unsqueeze with axes', async () => {
    for (const [op, from, axes] of [
      ['Squeeze', [1, 3, 1, 2], [0, 2]],
      ['Unsqueeze', [3, 2], [1, 3]],
    ] as const)
      await checkVjp(
        op,
        opset < 13
          ? { opset, inputs: [{ shape: from }], attributes: attributesOf({ axes }) }
          : { opset, inputs: [{ shape: from }, shape(...axes)] },
      );
  });
  test('Squeeze of all axes of size 1', () =>
    checkVjp('Squeeze', { opset, inputs: [{ shape: [1, 3, 1, 2], dtype: 'float64' }] }));
});

test('Reshape to a shape that only the run tells', () =>
  checkVjp('Reshape', {
    opset: 17,
    inputs: [{ shape: [2, 6] }, { shape: [3], dtype: 'int64', values: [3, -1, 2] }],
  }));
