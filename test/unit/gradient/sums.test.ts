import { test } from 'vitest';
import { checkVjp } from './checkVjp';

test.each([7, 8, 13])('Sum and Mean at opset %i', async opset => {
  const same = [{ shape: [2, 3] }, { shape: [2, 3] }, { shape: [2, 3] }];
  const broadcast = [{ shape: [2, 3] }, { shape: [] }, { shape: [4, 1, 3] }];
  for (const op of ['Sum', 'Mean']) {
    await checkVjp(op, { opset, inputs: same });
    await checkVjp(op, { opset, inputs: [{ shape: [3] }] });
    if (opset > 7) await checkVjp(op, { opset, inputs: broadcast });
  }
  await checkVjp('Sum', { opset, inputs: same.map(x => ({ ...x, dtype: 'float64' })) });
});
