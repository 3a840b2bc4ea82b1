import { describe, test } from 'vitest';
import { checkVjp } from './checkVjp';

describe.each([9, 16])('Where at opset %i', opset => {
  const condition = { shape: [2, 3], dtype: 'bool', values: [1, 0, 1, 0, 0, 1] } as const;
  test.each([
    [
      [2, 3],
      [2, 3],
    ],
    [[3], []],
    [
      [4, 1, 3],
      [2, 1],
    ],
  ])('%j or %j', (a, b) =>
    checkVjp('Where', { opset, inputs: [condition, { shape: a }, { shape: b }] }),
  );
  test('a condition that broadcasts', async () => {
    const row = { shape: [3], dtype: 'bool', values: [1, 0, 1] } as const;
    const wide = { shape: [2, 3], dtype: 'float64' } as const;
    await checkVjp('Where', { opset, inputs: [row, wide, wide] });
  });
});
