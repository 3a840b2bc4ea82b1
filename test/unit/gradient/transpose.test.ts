import { describe, test } from 'vitest';
import { attributesOf } from './attributes';
import { checkVjp } from './checkVjp';

describe.each([7, 13, 21])('Transpose at opset %i', opset => {
  test.each([[[1, 2, 0]], [[0, 2, 1]], [[2, 1, 0]], [[0, 1, 2]]])('by %j', perm =>
    checkVjp('Transpose', {
      opset,
      inputs: [{ shape: [2, 3, 4] }],
      attributes: attributesOf({ perm }),
    }),
  );
  test('without perm, in float64, of a scalar', async () => {
    for (const shape of [[], [3], [2, 3], [2, 1, 3, 2]])
      await checkVjp('Transpose', { opset, inputs: [{ shape, dtype: 'float64' }] });
  });
});
