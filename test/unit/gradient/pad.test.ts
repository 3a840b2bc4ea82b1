import { describe, test } from 'vitest';
import { attributesOf } from './attributes';
import { checkVjp, type CaseTensor } from './checkVjp';

const ints = (values: readonly number[], constant = true): CaseTensor => ({
  shape: [values.length],
  dtype: 'int64',
  values,
  constant,
});

const CASES = [
  ['constant', [0, 1, 2, 3, 0, 1]],
  ['constant', [1, -1, 0, 0, 2, -1]],
  ['constant', [0, 0, -1, 0, 0, -2]],
  ['reflect', [0, 2, 1, 1, 1, 3]],
  ['reflect', [0, 0, 4, 0, 0, 0]],
  ['edge', [0, 2, 3, 1, 0, 1]],
] as const;

describe.each([7, 10])('Pad with attributes at opset %i', opset => {
  test.each(CASES)('%s by %j', (mode, pads) =>
    checkVjp('Pad', {
      opset,
      inputs: [{ shape: [2, 4, 5] }],
      attributes: attributesOf({ mode, pads, value: { float: 0.5 } }),
    }),
  );
});

describe.each([11, 13, 18, 19, 24])('Pad with inputs at opset %i', opset => {
  test.each(CASES)('%s by %j', (mode, pads) =>
    checkVjp('Pad', {
      opset,
      inputs: [{ shape: [2, 4, 5] }, ints(pads, pads[0] === 0)],
      attributes: attributesOf({ mode }),
    }),
  );
  test('the value has a gradient', async () => {
    for (const pads of [
      [1, 0, 2, 3],
      [1, -1, 2, -1],
    ])
      await checkVjp('Pad', {
        opset,
        inputs: [{ shape: [3, 4], dtype: 'float64' }, ints(pads), { shape: [], dtype: 'float64' }],
      });
  });
});

describe.each([18, 21])('Pad on some axes at opset %i', opset => {
  test.each([
    ['constant', [1, 2], [1]],
    ['edge', [2, 1, 0, 1], [-1, 0]],
    ['reflect', [1, 2, 3, 0], [2, 1]],
  ] as const)('%s by %j on %j', (mode, pads, axes) =>
    checkVjp('Pad', {
      opset,
      inputs: [{ shape: [2, 4, 5] }, ints(pads), null, ints(axes)],
      attributes: attributesOf({ mode }),
    }),
  );
});

test('Pad by wrapping', async () => {
  for (const pads of [
    [0, 2, 1, 1, 1, 3],
    [2, 3, 0, 0, -1, 5],
  ])
    await checkVjp('Pad', {
      opset: 19,
      inputs: [{ shape: [2, 4, 5] }, ints(pads)],
      attributes: attributesOf({ mode: 'wrap' }),
    });
});

describe('CenterCropPad', () => {
  test.each([
    [[3, 8], undefined],
    [[4, 5], undefined],
    [[9], [1]],
    [[2], [-1]],
    [
      [1, 7],
      [-1, 0],
    ],
  ])('to %j on %j', (sizes, axes) =>
    checkVjp('CenterCropPad', {
      opset: 18,
      inputs: [{ shape: [4, 5] }, ints(sizes)],
      attributes: attributesOf(axes ? { axes } : {}),
    }),
  );
});
