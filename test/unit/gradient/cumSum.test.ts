import { test } from 'vitest';
import { attributesOf } from './attributes';
import { checkVjp } from './checkVjp';

test.each([
  [11, 0, {}],
  [11, 2, { exclusive: 1 }],
  [14, -1, { reverse: 1 }],
  [14, -2, { exclusive: 1, reverse: 1 }],
])('CumSum at opset %i along axis %i with %j', async (opset, along, plain) => {
  const attributes = attributesOf(plain);
  const axis = { shape: [], dtype: 'int64', values: [along], constant: true } as const;
  await checkVjp('CumSum', { opset, inputs: [{ shape: [2, 3, 4] }, axis], attributes });
  const wide = { shape: [2, 3, 4], dtype: 'float64' } as const;
  const fed = { shape: [1], dtype: 'int32', values: [along] } as const;
  await checkVjp('CumSum', { opset, inputs: [wide, fed], attributes });
});
