import { describe, expect, test } from 'vitest';
import { checkVjp, vjpErrors } from './checkVjp';
import { runVjp } from './runVjp';

describe('Det', () => {
  test.each([[[1, 1]], [[2, 2]], [[2, 3, 3]], [[2, 2, 4, 4]]])('of %j', async shape => {
    for (const opset of [11, 22]) await checkVjp('Det', { opset, inputs: [{ shape }] });
  });
  test('a singular matrix has a gradient', async () => {
    const x = { shape: [2, 2], values: [1, 2, 2, 4] };
    expect(await runVjp('Det', { opset: 11, inputs: [x] }, [1])).toEqual([4, -2, -2, 1]);
  });
  test('large matrices are refused', () =>
    expect(vjpErrors('Det', { opset: 11, inputs: [{ shape: [9, 9] }] })).rejects.toThrow(/9 rows/));
});
