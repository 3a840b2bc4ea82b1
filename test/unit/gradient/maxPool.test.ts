import { describe, expect, test } from 'vitest';
import { attributesOf, type PlainAttribute } from './attributes';
import { checkVjp } from './checkVjp';
import { random } from './finiteDifferences';
import { runVjp } from './runVjp';

type Plain = Readonly<Record<string, PlainAttribute>>;

const CASES: readonly (readonly [shape: readonly number[], attributes: Plain])[] = [
  [[2, 3, 8], { kernel_shape: [3], strides: [2] }],
  [[1, 2, 6, 8], { kernel_shape: [2, 2], strides: [2, 2] }],
  [[2, 2, 7, 8], { kernel_shape: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1] }],
  [[1, 2, 7, 8], { kernel_shape: [3, 2], pads: [0, 1, 2, 0] }],
  [[1, 2, 8, 8], { kernel_shape: [3, 3], strides: [2, 2], ceil_mode: 1 }],
  [[1, 2, 9, 7], { kernel_shape: [2, 3], strides: [2, 3], dilations: [3, 2], pads: [1, 2, 0, 1] }],
  [[1, 2, 9, 9], { kernel_shape: [1, 2], strides: [2, 3] }],
  [[1, 1, 5, 4, 6], { kernel_shape: [2, 3, 2], strides: [2, 1, 2], pads: [0, 1, 1, 1, 0, 0] }],
  [[1, 2, 7, 6], { kernel_shape: [3, 3], strides: [2, 2], auto_pad: 'SAME_UPPER' }],
  [[1, 2, 7, 6], { kernel_shape: [2, 4], strides: [1, 3], auto_pad: 'SAME_LOWER' }],
  [[1, 2, 7, 6], { kernel_shape: [3, 3], strides: [2, 2], auto_pad: 'VALID' }],
  [[1, 2, 5, 5], { kernel_shape: [5, 5] }],
];

/** Values in random order that lie so far apart that no step changes which of them is the largest. */
function distinct(shape: readonly number[]): number[] {
  const next = random(3);
  const count = shape.reduce((a, b) => a * b, 1);
  const order = Array.from({ length: count }, (_, i) => [next(), i] as const);
  return order.sort((a, b) => a[0] - b[0]).map(([, i]) => 0.05 * (i - count / 2));
}

describe('MaxPool', () => {
  test.each(CASES)('of %j with %j', async (shape, attributes) => {
    const given = {
      inputs: [{ shape, values: distinct(shape) }],
      attributes: attributesOf(attributes),
    };
    await checkVjp('MaxPool', { ...given, opset: 12 });
    await checkVjp('MaxPool', { ...given, opset: 22, outputs: 2 });
  });

  test.each([7, 8, 10, 11, 18])('at opset %i', opset =>
    checkVjp('MaxPool', {
      opset,
      inputs: [{ shape: [1, 3, 8, 8], values: distinct([1, 3, 8, 8]) }],
      attributes: attributesOf({ kernel_shape: [3, 3], strides: [2, 2], pads: [0, 1, 1, 0] }),
    }),
  );

  test('in float64 and with column-major indices', () =>
    checkVjp('MaxPool', {
      opset: 12,
      outputs: 2,
      inputs: [{ shape: [1, 3, 8, 6], dtype: 'float64', values: distinct([1, 3, 8, 6]) }],
      attributes: attributesOf({ kernel_shape: [2, 3], strides: [2, 1], storage_order: 1 }),
    }));

  const ties = [
    ['float32', [3, 3], [2, 2], 0],
    ['float32', [2, 2], [2, 2], 0],
    ['float32', [3, 2], [1, 1], 1],
    ['int8', [3, 3], [2, 2], 1],
    ['uint8', [2, 3], [2, 1], 0],
  ] as const;
  test.each(ties)(
    'of %s with ties, kernel %j, strides %j, padding %i',
    async (dtype, kernel, strides, pad) => {
      const next = random(7);
      const values = Array.from({ length: 2 * 9 * 9 }, () => Math.floor(3 * next()));
      const expected = new Array<number>(values.length).fill(0);
      const seed: number[] = [];
      for (const window of windows(2, 9, kernel, strides, pad)) {
        const weight = 1 + seed.length;
        seed.push(weight);
        const most = Math.max(...window.map(at => values[at] ?? 0));
        const first = window.find(at => values[at] === most) ?? 0;
        expected[first] = (expected[first] ?? 0) + weight;
      }
      const given = {
        opset: 12,
        inputs: [{ shape: [1, 2, 9, 9], dtype, values }],
        attributes: attributesOf({ kernel_shape: kernel, strides, pads: [pad, pad, pad, pad] }),
      };
      expect(await runVjp('MaxPool', given, seed)).toEqual(expected);
    },
  );
});

/** The elements of each window of [channels, size, size], both in row-major order. */
function windows(
  channels: number,
  size: number,
  [kh, kw]: readonly [number, number],
  [sh, sw]: readonly [number, number],
  pad: number,
): number[][] {
  const all: number[][] = [];
  for (let c = 0; c < channels; c++)
    for (let top = -pad; top + kh <= size + pad; top += sh)
      for (let left = -pad; left + kw <= size + pad; left += sw) {
        const window: number[] = [];
        for (let y = Math.max(0, top); y < Math.min(size, top + kh); y++)
          for (let x = Math.max(0, left); x < Math.min(size, left + kw); x++)
            window.push((c * size + y) * size + x);
        all.push(window);
      }
  return all;
}
