import { describe, test } from 'vitest';
import { attributesOf } from './attributes';
import { checkVjp, type CaseTensor } from './checkVjp';

const indices = (
  shape: readonly number[],
  values: readonly number[],
  constant = false,
): CaseTensor => ({ shape, dtype: 'int64', values, constant });

/** As many as wanted, some of them twice. */
const scattered = (count: number, size: number): number[] =>
  Array.from({ length: count }, (_, i) => (i * i * 7 + 3 * i) % size);

describe.each([7, 9, 10, 11, 13, 16, 18])('Gather at opset %i', opset => {
  test.each([
    [0, [], [1]],
    [1, [1], [-1]],
    [1, [3], [2, 1, 0]],
    [2, [2, 2], [3, -5, 0, 3]],
    [-2, [8], [0, 3, 1, 0, 0, 2, 2, 3]],
    [0, [1, 3], [0, 0, 1]],
    [2, [0], []],
  ])('along %i by %j of %j', async (axis, shape, values) => {
    for (const constant of [true, false])
      await checkVjp('Gather', {
        opset,
        inputs: [{ shape: [2, 4, 5] }, indices(shape, values, constant)],
        attributes: attributesOf({ axis: opset < 11 && axis < 0 ? axis + 3 : axis }),
      });
  });
  test('of many rows, in float64', async () => {
    for (const constant of [true, false])
      await checkVjp('Gather', {
        opset,
        inputs: [
          { shape: [2, 300, 3], dtype: 'float64' },
          indices([2, 20], scattered(40, 300), constant),
        ],
        attributes: attributesOf({ axis: 1 }),
      });
  });
  test('by int32', () =>
    checkVjp('Gather', {
      opset,
      inputs: [{ shape: [4, 3] }, { shape: [3], dtype: 'int32', values: [1, 3, 1] }],
    }));
});

describe.each([11, 13, 16, 18])('GatherElements at opset %i', opset => {
  test.each([
    [0, [2, 3], [0, 1, 2, 2, 1, 0]],
    [1, [3, 4], [0, 0, 1, 2, 3, -1, -1, 0, 1, 1, 1, 1]],
    [-1, [3, 1], [2, -4, 0]],
    [1, [2, 3], [1, 1, 0, 3, -1, 3]],
  ])('along %i by %j of %j', (axis, shape, values) =>
    checkVjp('GatherElements', {
      opset,
      inputs: [{ shape: [3, 4] }, indices(shape, values)],
      attributes: attributesOf({ axis }),
    }),
  );
  test('in the middle, in float64', () =>
    checkVjp('GatherElements', {
      opset,
      inputs: [{ shape: [2, 5, 3], dtype: 'float64' }, indices([2, 4, 2], scattered(16, 5))],
      attributes: attributesOf({ axis: 1 }),
    }));
});

describe.each([11, 12, 13, 16, 18])('GatherND at opset %i', opset => {
  test.each([
    [0, [3, 2], [0, 1, -1, 2, 0, 1]],
    [0, [2, 1], [1, -2]],
    [0, [2, 2, 3], [0, 1, 2, 1, 2, 3, 0, 1, 2, -1, -1, -1]],
    [0, [1], [1]],
    [1, [2, 1], [2, 1]],
    [1, [2, 3, 2], [0, 0, 2, 3, 2, 3, 1, -1, 0, 2, 1, 3]],
    [2, [2, 3, 1], [0, 3, 1, -1, 2, 2]],
  ])('behind %i axes by %j of %j', async (batchDims, shape, values) => {
    if (opset < 12 && batchDims > 0) return;
    await checkVjp('GatherND', {
      opset,
      inputs: [{ shape: [2, 3, 4] }, indices(shape, values)],
      attributes: attributesOf(batchDims > 0 ? { batch_dims: batchDims } : {}),
    });
  });
  test('of many rows, in float64', () =>
    checkVjp('GatherND', {
      opset,
      inputs: [{ shape: [20, 30, 2], dtype: 'float64' }, indices([25, 2], scattered(50, 20), true)],
    }));
});

test.each([
  [
    [3, 5],
    [4, 0, 4],
  ],
  [[2, 3, 4], [1]],
])('ArrayFeatureExtractor of %j by %j', (shape, values) =>
  checkVjp('ArrayFeatureExtractor', {
    opset: 13,
    domain: 'ai.onnx.ml',
    inputs: [{ shape }, indices([1, values.length], values)],
  }),
);
