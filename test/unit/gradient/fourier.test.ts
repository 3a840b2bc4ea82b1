import { describe, test } from 'vitest';
import { attributesOf, type PlainAttribute } from './attributes';
import { checkVjp, type CaseTensor } from './checkVjp';

const scalar = (value: number): CaseTensor => ({ shape: [], dtype: 'int64', values: [value] });

type Case = readonly [
  shape: readonly number[],
  axis: number,
  length: number | null,
  attributes: Readonly<Record<string, PlainAttribute>>,
];

const CASES: readonly Case[] = [
  [[2, 6, 1], 1, null, {}],
  [[2, 5, 2], 1, null, {}],
  [[1, 4, 3, 2], 1, null, {}],
  [[2, 6, 2], 1, null, { inverse: 1 }],
  [[2, 5, 1], 1, null, { onesided: 1 }],
  [[2, 6, 1], 1, null, { onesided: 1 }],
  [[2, 6, 1], 1, 4, {}],
  [[2, 5, 2], 1, 8, {}],
  [[2, 5, 2], 1, 3, { inverse: 1 }],
];

describe.each([17, 20])('DFT at opset %i', opset => {
  test.each(CASES)('of %j along %i, length %j, %j', (shape, axis, length, attributes) =>
    checkVjp('DFT', {
      opset,
      inputs: [
        { shape, dtype: 'float64' },
        length === null ? null : scalar(length),
        ...(opset < 20 ? [] : [scalar(axis)]),
      ],
      attributes: attributesOf(opset < 20 ? { ...attributes, axis } : attributes),
    }),
  );
  test('in float32, along the usual axis', () =>
    checkVjp('DFT', { opset, inputs: [{ shape: [2, 7, 2] }] }));
});

describe('STFT', () => {
  test.each([
    [[2, 16, 1], 4, 8, true, 1],
    [[1, 15, 1], 3, 5, true, 0],
    [[1, 12, 1], 2, 4, false, 1],
    [[1, 16, 2], 5, 6, false, 0],
  ])('of %j by %i, frames of %i, window %s, onesided %i', (shape, step, length, has, onesided) =>
    checkVjp('STFT', {
      opset: 17,
      inputs: [
        { shape },
        scalar(step),
        has ? { shape: [length] } : null,
        ...(has ? [] : [scalar(length)]),
      ],
      attributes: attributesOf({ onesided }),
    }),
  );
});
