import { describe, test } from 'vitest';
import { attributesOf } from './attributes';
import { checkVjp, type CaseTensor } from './checkVjp';

const places = (...values: number[]): CaseTensor => ({
  shape: [values.length],
  dtype: 'int64',
  values,
});

describe('TensorScatter', () => {
  test.each([
    [[2, 3, 5, 2], [2, 3, 2, 2], null, {}],
    [[2, 3, 5, 2], [2, 3, 2, 2], places(0, 3), {}],
    [[2, 5, 3], [2, 1, 3], places(4, 2), { axis: 1 }],
    [[2, 4, 3], [2, 3, 3], places(3, 2), { mode: 'circular' }],
  ] as const)('of %j by %j at %j, %j', (cache, update, at, attributes) =>
    checkVjp('TensorScatter', {
      opset: 24,
      inputs: [{ shape: cache }, { shape: update }, at],
      attributes: attributesOf(attributes),
    }),
  );
});
