import { test } from 'vitest';
import { attributesOf } from './attributes';
import { checkVjp } from './checkVjp';

test.each([
  [null, {}],
  [1, { upper: 1 }],
  [-1, { upper: 0 }],
  [0, { upper: 0 }],
])('Trilu from diagonal %s with %j', async (diagonal, plain) => {
  const k = { shape: [], dtype: 'int64', values: [diagonal ?? 0] } as const;
  for (const dtype of ['float32', 'float64'] as const)
    await checkVjp('Trilu', {
      opset: 14,
      inputs: [{ shape: [2, 3, 4], dtype }, diagonal === null ? null : k],
      attributes: attributesOf(plain),
    });
});
