import { describe, test } from 'vitest';
import { attributesOf, type PlainAttribute } from './attributes';
import { checkVjp } from './checkVjp';

type Case = readonly [
  x: readonly number[],
  w: readonly number[],
  attributes: Readonly<Record<string, PlainAttribute>>,
];

const CONV: readonly Case[] = [
  [[2, 3, 7], [4, 3, 3], {}],
  [[1, 3, 6, 5], [4, 3, 1, 1], {}],
  [[2, 3, 6, 5], [4, 3, 3, 2], { pads: [1, 0, 2, 1] }],
  [[1, 2, 4, 5, 6], [3, 2, 2, 3, 1], { strides: [2, 1, 3], pads: [1, 1, 0, 0, 1, 0] }],
  [[1, 3, 9, 8], [4, 3, 3, 3], { strides: [2, 3], pads: [1, 1, 1, 0] }],
  [[1, 3, 8, 9], [4, 3, 2, 3], { dilations: [3, 2], pads: [2, 1, 3, 4] }],
  [[1, 3, 11, 9], [4, 3, 2, 3], { strides: [2, 2], dilations: [3, 2] }],
  [[1, 3, 8, 8], [4, 3, 4, 4], { strides: [4, 4] }],
  [[1, 3, 8, 8], [4, 3, 1, 1], { strides: [3, 2] }],
  [[2, 4, 6, 6], [6, 2, 3, 3], { group: 2, pads: [1, 1, 1, 1] }],
  [[2, 4, 7, 6], [6, 2, 3, 3], { group: 2, strides: [2, 2], pads: [1, 1, 1, 1] }],
  [[1, 4, 6, 6], [4, 1, 3, 3], { group: 4, pads: [1, 1, 1, 1] }],
  [[1, 4, 6, 6], [8, 1, 3, 3], { group: 4, strides: [2, 2], pads: [1, 1, 1, 1] }],
  [[1, 4, 9, 8], [4, 1, 5, 5], { group: 4, strides: [2, 3], pads: [2, 1, 2, 3] }],
  [[2, 4, 11], [4, 2, 4], { group: 2, strides: [2], dilations: [3], pads: [4, 5] }],
  [[1, 2, 4, 5, 6], [2, 1, 3, 2, 3], { group: 2, strides: [2, 1, 2], pads: [1, 0, 1, 1, 1, 1] }],
  [[1, 2, 5, 6], [4, 1, 1, 1], { group: 2, strides: [2, 2] }],
  [[1, 2, 7, 6], [2, 1, 3, 2], { group: 2, strides: [4, 3] }],
  [[1, 2, 5, 5], [2, 2, 2, 2], { pads: [3, 2, 1, 4] }],
  [[1, 2, 6, 7], [3, 2, 3, 2], { auto_pad: 'SAME_UPPER', strides: [2, 2] }],
  [[1, 2, 6, 7], [3, 2, 4, 2], { auto_pad: 'SAME_LOWER' }],
  [[1, 2, 6, 7], [3, 2, 1, 1], { auto_pad: 'SAME_LOWER', strides: [2, 3] }],
  [[1, 2, 6, 7], [3, 2, 3, 2], { auto_pad: 'VALID', kernel_shape: [3, 2] }],
];

const TRANSPOSED: readonly Case[] = [
  [[2, 3, 5], [3, 2, 3], { strides: [2] }],
  [[1, 3, 4, 5], [3, 2, 3, 2], { strides: [2, 3], pads: [1, 0, 2, 1], output_padding: [1, 2] }],
  [[1, 3, 3, 4, 2], [3, 2, 2, 1, 3], { strides: [2, 1, 2], pads: [0, 0, 1, 1, 0, 0] }],
  [[2, 4, 4, 5], [4, 3, 3, 3], { group: 2, strides: [2, 2], dilations: [2, 1] }],
  [[1, 3, 4, 4], [3, 1, 4, 4], { group: 3, strides: [2, 2], pads: [1, 1, 1, 1] }],
  [[1, 3, 4, 5], [3, 2, 3, 3], { strides: [2, 2], output_shape: [8, 10] }],
  [[1, 3, 4, 5], [3, 2, 4, 4], { auto_pad: 'SAME_UPPER', strides: [1, 1] }],
  [[1, 3, 4, 5], [3, 2, 4, 4], { auto_pad: 'SAME_LOWER', strides: [3, 3], output_padding: [1, 0] }],
  [[1, 3, 4, 5], [3, 2, 4, 3], { auto_pad: 'SAME_UPPER', strides: [3, 2], output_shape: [12, 9] }],
  [[1, 3, 4, 5], [3, 2, 2, 2], { auto_pad: 'VALID', strides: [2, 2] }],
];

const channelsOf = (op: string, w: readonly number[], group: number): number =>
  op === 'Conv' ? (w[0] ?? 1) : (w[1] ?? 1) * group;

test.each([
  ...CONV.map(given => ['Conv', ...given] as const),
  ...TRANSPOSED.map(given => ['ConvTranspose', ...given] as const),
])('%s of %j with %j %j', async (op, x, w, given) => {
  const bias = { shape: [channelsOf(op, w, Number(given['group'] ?? 1))] };
  const attributes = attributesOf(given);
  await checkVjp(op, { opset: 17, inputs: [{ shape: x }, { shape: w }, bias], attributes });
});

describe.each(['Conv', 'ConvTranspose'])('%s with a constant weight and no bias', op => {
  test.each([7, 11, 22])('at opset %i', async opset => {
    for (const stride of [1, 2])
      await checkVjp(op, {
        opset,
        inputs: [{ shape: [1, 3, 6, 7] }, { shape: [3, 3, 3, 2], constant: true }],
        attributes: attributesOf({ strides: [stride, stride], pads: [1, 0, 1, 1] }),
      });
  });
});
