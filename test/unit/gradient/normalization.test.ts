import { describe, test } from 'vitest';
import { attributesOf } from './attributes';
import { checkVjp } from './checkVjp';

const epsilon = { epsilon: 0.01 };

describe('LayerNormalization', () => {
  const cases = [
    [[2, 3, 4], -1, [4]],
    [[2, 3, 4], 1, [3, 4]],
    [[2, 3, 4], -2, [1, 4]],
    [[6], 0, [6]],
  ] as const;
  test.each(cases)('of %j from axis %i on, parameters %j', async (shape, axis, parameters) => {
    const attributes = attributesOf({ axis, ...epsilon });
    const [x, scale] = [{ shape }, { shape: parameters }];
    await checkVjp('LayerNormalization', { opset: 17, inputs: [x, scale, scale], attributes });
    const withStatistics = { opset: 17, inputs: [x, scale], attributes, outputs: 3 };
    await checkVjp('LayerNormalization', withStatistics);
    for (const output of [1, 2])
      await checkVjp('LayerNormalization', { ...withStatistics, output, check: [0] });
  });
  test('with its defaults, in float64', () =>
    checkVjp('LayerNormalization', {
      opset: 18,
      inputs: [
        { shape: [3, 5], dtype: 'float64' },
        { shape: [5], dtype: 'float64' },
      ],
    }));
});

describe.each([
  ['RMSNormalization', 23],
  ['SimplifiedLayerNormalization', 17],
])('%s', (op, opset) => {
  test.each([
    [[2, 3, 4], -1, [4]],
    [[2, 3, 4], 1, [3, 4]],
  ] as const)('of %j from axis %i on', (shape, axis, parameters) =>
    checkVjp(op, {
      opset,
      inputs: [{ shape }, { shape: parameters }],
      attributes: attributesOf({ axis, ...epsilon }),
    }),
  );
  test('with its defaults', () =>
    checkVjp(op, { opset, inputs: [{ shape: [3, 5] }, { shape: [5] }] }));
});

test('the root mean square is an output of SimplifiedLayerNormalization too', () =>
  checkVjp('SimplifiedLayerNormalization', {
    opset: 17,
    inputs: [{ shape: [3, 5] }, { shape: [5] }],
    outputs: 2,
    output: 1,
    check: [0],
  }));

describe('InstanceNormalization', () => {
  test.each([
    [[2, 3, 5], 7],
    [[2, 3, 4, 3], 17],
    [[1, 2, 2, 3, 2], 22],
  ] as const)('of %j at opset %i', (shape, opset) => {
    const parameter = { shape: [shape[1]] };
    return checkVjp('InstanceNormalization', {
      opset,
      inputs: [{ shape }, parameter, parameter],
      attributes: attributesOf(epsilon),
    });
  });
});

describe('GroupNormalization', () => {
  test.each([
    [[2, 4, 3, 2], 2, 18],
    [[2, 6, 3], 3, 18],
    [[2, 4, 3, 2], 2, 21],
    [[1, 6, 2, 2, 2], 3, 21],
    [[1, 4, 3, 2], 1, 21],
  ] as const)('of %j in %i groups at opset %i', (shape, groups, opset) => {
    const parameter = { shape: [opset < 21 ? groups : shape[1]] };
    return checkVjp('GroupNormalization', {
      opset,
      inputs: [{ shape }, parameter, parameter],
      attributes: attributesOf({ num_groups: groups, ...epsilon }),
    });
  });
});

describe('MeanVarianceNormalization', () => {
  test.each([9, 13])('at opset %i', async opset => {
    await checkVjp('MeanVarianceNormalization', { opset, inputs: [{ shape: [2, 3, 4, 2] }] });
    await checkVjp('MeanVarianceNormalization', {
      opset,
      inputs: [{ shape: [2, 3, 4, 2] }],
      attributes: attributesOf({ axes: opset < 13 ? [0, 1, 2, 3] : [1, -1] }),
    });
  });
});
