import { describe, expect, test } from 'vitest';
import { attributesOf } from './attributes';
import { checkVjp } from './checkVjp';
import { runVjp } from './runVjp';

describe('activations that are pieced together', () => {
  test.each([
    ['Elu', 7, {}, [0]],
    ['Elu', 22, { alpha: 1.5 }, [0]],
    ['Selu', 7, {}, [0]],
    ['Selu', 22, { alpha: 1.5, gamma: 0.7 }, [0]],
    ['Celu', 12, {}, [0]],
    ['Celu', 12, { alpha: 0.6 }, [0]],
    ['LeakyRelu', 7, {}, [0]],
    ['LeakyRelu', 16, { alpha: 0.3 }, [0]],
    ['ThresholdedRelu', 10, {}, [1]],
    ['ThresholdedRelu', 22, { alpha: -0.4 }, [-0.4]],
    ['Shrink', 9, {}, [-0.5, 0.5]],
    ['Shrink', 9, { lambd: 0.7, bias: 0.2 }, [-0.7, 0.7]],
    ['HardSigmoid', 7, { alpha: 0.7 }, [-0.5 / 0.7, 0.5 / 0.7]],
    ['HardSigmoid', 22, { alpha: 0.5, beta: 0.4 }, [-0.8, 1.2]],
    ['HardSwish', 14, {}, [-3, 3]],
    ['HardSwish', 22, {}, [-3, 3]],
  ] as const)('%s at opset %i with %j', (op, opset, plain, avoid) =>
    checkVjp(op, {
      opset,
      inputs: [{ shape: [4, 9], from: -4, to: 4 }],
      attributes: attributesOf(plain),
      avoid,
    }),
  );

  test.each([7, 9, 16])('PRelu at opset %i', async opset => {
    const x = { shape: [2, 3, 4] };
    for (const slope of [[2, 3, 4], [3, 1], [1], [4]])
      await checkVjp('PRelu', { opset, inputs: [x, { shape: slope }], avoid: [0] });
  });

  test.each([
    ['LeakyRelu', { alpha: 0.25 }, 0.25],
    ['Elu', {}, 1],
    ['HardSwish', {}, 0.5],
    ['ThresholdedRelu', { alpha: { float: 0 } }, 0],
  ])('the slope of %s at 0 is that of PyTorch', async (op, plain, slope) => {
    const given = { opset: 16, inputs: [{ shape: [1], values: [0] }] };
    expect(await runVjp(op, { ...given, attributes: attributesOf(plain) }, [1])).toEqual([slope]);
  });
});

describe('Clip', () => {
  const x = { shape: [3, 5], from: -2, to: 2 };
  test.each([7, 10])('with attributes at opset %i', async opset => {
    const [min, max] = [-0.5, 0.7];
    for (const attributes of [
      attributesOf({ min, max }),
      attributesOf({ min }),
      attributesOf({ max }),
      {},
    ])
      await checkVjp('Clip', { opset, inputs: [x], attributes, avoid: [min, max] });
  });
  test.each([11, 12, 13])('with inputs at opset %i', async opset => {
    const min = { shape: [], values: [-0.5] };
    const max = { shape: [], values: [0.7] };
    for (const inputs of [[x, min, max], [x, min], [x, null, max], [x]])
      await checkVjp('Clip', { opset, inputs, avoid: [-0.5, 0.7] });
    if (opset > 11)
      await checkVjp('Clip', {
        opset,
        inputs: [x, min, max].map(input => ({ ...input, dtype: 'float64' })),
        avoid: [-0.5, 0.7],
      });
  });
  test('with bounds that are the wrong way round', () =>
    checkVjp('Clip', {
      opset: 13,
      inputs: [x, { shape: [], values: [0.5] }, { shape: [], values: [-0.5] }],
    }));
  test('the slope is 1 strictly inside', async () => {
    const values = { shape: [4], values: [0, 1, 6, 7] };
    const plain = attributesOf({ min: { float: 0 }, max: { float: 6 } });
    const ones = [1, 1, 1, 1];
    for (const opset of [7, 9])
      expect(await runVjp('Clip', { opset, inputs: [values], attributes: plain }, ones)).toEqual([
        0, 1, 0, 0,
      ]);
  });
});
