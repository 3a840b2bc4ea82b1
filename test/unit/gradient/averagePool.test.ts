import { describe, test } from 'vitest';
import { attributesOf, type PlainAttribute } from './attributes';
import { checkVjp } from './checkVjp';

type Plain = Readonly<Record<string, PlainAttribute>>;

const WINDOWS: readonly (readonly [shape: readonly number[], attributes: Plain])[] = [
  [[2, 3, 8], { kernel_shape: [3], strides: [2] }],
  [[1, 2, 6, 8], { kernel_shape: [2, 2], strides: [2, 2] }],
  [[1, 2, 7, 8], { kernel_shape: [2, 3], strides: [2, 3] }],
  [[2, 2, 7, 8], { kernel_shape: [3, 3], strides: [2, 1], pads: [1, 0, 1, 1] }],
  [[1, 1, 5, 4, 6], { kernel_shape: [2, 3, 2], strides: [2, 1, 2], pads: [0, 1, 1, 1, 0, 0] }],
  [[1, 2, 7, 6], { kernel_shape: [3, 4], strides: [2, 1], auto_pad: 'SAME_UPPER' }],
  [[1, 2, 7, 6], { kernel_shape: [2, 4], strides: [1, 3], auto_pad: 'SAME_LOWER' }],
  [[1, 2, 7, 6], { kernel_shape: [3, 3], strides: [2, 2], auto_pad: 'VALID' }],
];

const CEILED: readonly (readonly [shape: readonly number[], attributes: Plain])[] = [
  [[1, 2, 8, 6], { kernel_shape: [3, 3], strides: [2, 3], ceil_mode: 1, pads: [0, 1, 0, 1] }],
];

const DILATED: readonly (readonly [shape: readonly number[], attributes: Plain])[] = [
  [[1, 2, 9, 8], { kernel_shape: [3, 2], strides: [2, 1], dilations: [2, 3], pads: [1, 1, 2, 0] }],
];

describe('AveragePool', () => {
  test.each([...WINDOWS, ...CEILED])('of %j with %j', async (shape, attributes) => {
    const inputs = [{ shape }];
    const withPadding = { ...attributes, count_include_pad: 1 };
    for (const opset of [11, 19])
      for (const given of [attributes, withPadding])
        await checkVjp('AveragePool', { opset, inputs, attributes: attributesOf(given) });
  });
  test.each(DILATED)('dilated, of %j with %j', async (shape, attributes) => {
    for (const given of [attributes, { ...attributes, count_include_pad: 1, ceil_mode: 1 }])
      await checkVjp('AveragePool', {
        opset: 19,
        inputs: [{ shape }],
        attributes: attributesOf(given),
      });
  });
  test.each([7, 10, 22])('at opset %i', opset =>
    checkVjp('AveragePool', {
      opset,
      inputs: [{ shape: [1, 2, 7, 6] }],
      attributes: attributesOf({ kernel_shape: [3, 2], strides: [2, 2], pads: [1, 0, 1, 1] }),
    }),
  );
});

describe('LpPool', () => {
  test.each(WINDOWS)('of %j with %j', async (shape, attributes) => {
    const inputs = [{ shape }];
    for (const p of [1, 2, 3])
      await checkVjp('LpPool', {
        opset: 11,
        inputs,
        attributes: attributesOf({ ...attributes, p }),
        avoid: [0],
      });
  });
  test.each([...CEILED, ...DILATED])('since opset 18, of %j with %j', (shape, attributes) =>
    checkVjp('LpPool', {
      opset: 18,
      inputs: [{ shape }],
      attributes: attributesOf(attributes),
    }),
  );
  test.each([7, 22])('at opset %i', opset =>
    checkVjp('LpPool', {
      opset,
      inputs: [{ shape: [1, 2, 6, 6] }],
      attributes: attributesOf({ kernel_shape: [2, 2], strides: [2, 2] }),
    }),
  );
});
