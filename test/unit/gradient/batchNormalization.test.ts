import { describe, test } from 'vitest';
import { attributesOf } from './attributes';
import { checkVjp, type VjpCase } from './checkVjp';

function inputs(shape: readonly number[], dtype: 'float32' | 'float64'): VjpCase['inputs'] {
  const parameter = { shape: [shape[1] ?? 1], dtype };
  return [{ shape, dtype }, parameter, parameter, parameter, { ...parameter, from: 0.5, to: 2 }];
}

test.each([
  [7, [2, 3, 4, 2]],
  [9, [2, 3, 4, 2]],
  [14, [2, 3]],
  [15, [1, 3, 2, 2, 2]],
] as const)('BatchNormalization at opset %i of %j', (opset, shape) =>
  checkVjp('BatchNormalization', {
    opset,
    inputs: inputs(shape, 'float32'),
    attributes: attributesOf({ epsilon: 0.01 }),
  }),
);

test('BatchNormalization with its defaults, in float64', () =>
  checkVjp('BatchNormalization', { opset: 15, inputs: inputs([2, 3, 4], 'float64') }));

test('BatchNormalization with a parameter for each element', () => {
  const parameter = { shape: [3, 2, 2] };
  return checkVjp('BatchNormalization', {
    opset: 7,
    inputs: [
      { shape: [2, 3, 2, 2] },
      parameter,
      parameter,
      parameter,
      { ...parameter, from: 0.5, to: 2 },
    ],
    attributes: attributesOf({ spatial: 0 }),
  });
});

describe('BatchNormalization in training mode', () => {
  test.each([
    [14, [4, 3, 2], {}],
    [15, [2, 3, 3, 2], { momentum: 0.7 }],
  ] as const)('at opset %i of %j, %j', async (opset, shape, more) => {
    const attributes = attributesOf({ training_mode: 1, epsilon: 0.01, ...more });
    const given = { opset, inputs: inputs(shape, 'float32'), outputs: 3, attributes };
    await checkVjp('BatchNormalization', { ...given, check: [0, 1, 2] });
    await checkVjp('BatchNormalization', { ...given, output: 1, check: [0, 3] });
    await checkVjp('BatchNormalization', { ...given, output: 2, check: [0, 4] });
  });
});
