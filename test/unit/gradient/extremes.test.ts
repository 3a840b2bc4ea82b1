import { describe, expect, test } from 'vitest';
import { checkVjp } from './checkVjp';
import { runVjp } from './runVjp';

describe.each(['Max', 'Min'])('%s', op => {
  test.each([7, 8, 12, 13])('at opset %i', async opset => {
    const low = { shape: [2, 3], from: -1, to: -0.3 };
    const high = { shape: [2, 3], from: 0.3, to: 1 };
    const mixed = { shape: [2, 3], values: [-2, 2, -2, 2, -2, 2] };
    await checkVjp(op, { opset, inputs: [low, high, mixed] });
    await checkVjp(op, { opset, inputs: [low] });
    if (opset === 7) return;
    await checkVjp(op, {
      opset,
      inputs: [low, { ...high, shape: [] }, { ...mixed, shape: [2, 1], values: [-2, 2] }],
    });
    await checkVjp(op, {
      opset,
      inputs: [
        { ...low, dtype: 'float64' },
        { ...mixed, dtype: 'float64' },
      ],
    });
  });

  test.each([8, 13])('equal operands share evenly at opset %i', async opset => {
    const sign = op === 'Max' ? 1 : -1;
    const of = (...values: number[]) => ({ shape: [4], values: values.map(v => sign * v) });
    const inputs = [of(1, 1, 0, 2), of(1, 0, 1, 2), of(0, 1, 1, 2)];
    const third = 6 / Math.fround(3);
    expect(await runVjp(op, { opset, inputs }, [6, 6, 6, 6])).toEqual([3, 3, 0, third]);
  });
});
