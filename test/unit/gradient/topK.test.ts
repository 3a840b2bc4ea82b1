import { describe, test } from 'vitest';
import { attributesOf } from './attributes';
import { checkVjp, type CaseTensor } from './checkVjp';

/** Far enough apart that no step changes their order. */
const apart = (count: number): number[] =>
  Array.from({ length: count }, (_, i) => ((i * 7) % count) / 2);

const k = (value: number, constant: boolean): CaseTensor => ({
  shape: [1],
  dtype: 'int64',
  values: [value],
  constant,
});

describe.each([7, 9])('TopK at opset %i', opset => {
  test.each([
    [1, 2],
    [-1, 1],
    [0, 3],
  ])('along %i, %i of them', async (axis, count) => {
    await checkVjp('TopK', {
      opset,
      inputs: [{ shape: [3, 5], values: apart(15) }],
      outputs: 2,
      attributes: attributesOf({ axis, k: count }),
    });
  });
});

describe.each([10, 11, 24])('TopK at opset %i', opset => {
  test.each([
    [1, 2, {}],
    [-2, 3, { sorted: 1, largest: 0 }],
    [0, 1, { sorted: 0 }],
    [1, 5, { largest: 0 }],
  ])('along %i, %i of them, %j', async (axis, count, more) => {
    for (const constant of [true, false])
      await checkVjp('TopK', {
        opset,
        inputs: [{ shape: [3, 5], values: apart(15), dtype: 'float64' }, k(count, constant)],
        outputs: 2,
        attributes: attributesOf({ axis, ...(opset < 11 ? {} : more) }),
      });
  });
});
