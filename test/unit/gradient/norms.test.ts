import { describe, expect, test } from 'vitest';
import { attributesOf } from './attributes';
import { checkVjp } from './checkVjp';
import { runVjp } from './runVjp';

describe('LpNormalization', () => {
  test.each([
    [7, {}],
    [13, { p: 1 }],
    [13, { axis: 1 }],
    [18, { axis: 0, p: 1 }],
    [22, { axis: -2, p: 2 }],
  ])('at opset %i with %j', async (opset, plain) => {
    const attributes = attributesOf(plain);
    await checkVjp('LpNormalization', {
      opset,
      inputs: [{ shape: [2, 3, 4] }],
      attributes,
      avoid: [0],
    });
    const wide = { shape: [2, 3, 4], dtype: 'float64' } as const;
    await checkVjp('LpNormalization', { opset, inputs: [wide], attributes, avoid: [0] });
  });
  test.each([1, 2])('a vector of zeros has no gradient, p = %i', async p => {
    const zeros = { shape: [1, 3], values: [0, 0, 0] };
    for (const opset of [7, 13]) {
      const given = { opset, inputs: [zeros], attributes: attributesOf({ p }) };
      expect(await runVjp('LpNormalization', given, [1, 2, 3])).toEqual([0, 0, 0]);
    }
  });
});
