import { describe, test } from 'vitest';
import { attributesOf, type PlainAttribute } from './attributes';
import { checkVjp } from './checkVjp';

type Case = readonly [
  x: readonly number[],
  w: readonly number[],
  out: readonly number[],
  isMasked: boolean,
  attributes: Readonly<Record<string, PlainAttribute>>,
];

const CASES: readonly Case[] = [
  [[1, 1, 3, 3], [1, 1, 2, 2], [2, 2], false, {}],
  [[2, 2, 4, 5], [3, 2, 3, 2], [4, 6], true, { pads: [1, 1, 1, 1] }],
  [[1, 4, 5, 4], [2, 4, 2, 2], [2, 2], true, { offset_group: 2, strides: [2, 2] }],
  [[1, 4, 5, 5], [4, 2, 2, 2], [3, 3], true, { group: 2, dilations: [2, 2] }],
];

describe.each([19, 22])('DeformConv at opset %i', opset => {
  test.each(CASES)('%j * %j gives %j, masked %s, %j', (x, w, out, isMasked, attributes) => {
    const [batch = 1] = x;
    const [outputs = 1, , ...kernel] = w;
    const { offset_group: groups = 1 } = attributes;
    const elements = Number(groups) * kernel.reduce((a, b) => a * b, 1);
    // at whole positions the slope of the interpolation jumps
    const shift = { shape: [batch, elements * 2, ...out], from: -1.5, to: 1.5 };
    return checkVjp('DeformConv', {
      opset,
      inputs: [
        { shape: x },
        { shape: w },
        shift,
        { shape: [outputs] },
        ...(isMasked ? [{ shape: [batch, elements, ...out] }] : []),
      ],
      attributes: attributesOf({ kernel_shape: kernel, ...attributes }),
      avoid: [-1, 0, 1],
    });
  });
});
