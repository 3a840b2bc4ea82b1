import { describe, expect, test } from 'vitest';
import { checkVjp } from './checkVjp';
import { runVjp } from './runVjp';

/** Operator, first opset, range of x. */
const FUNCTIONS: readonly (readonly [string, number, number, number])[] = [
  ['Abs', 7, -1, 1],
  ['Neg', 7, -1, 1],
  ['Exp', 7, -1, 1],
  ['Log', 7, 0.5, 2],
  ['Sqrt', 7, 0.5, 2],
  ['Reciprocal', 7, 0.5, 2],
  ['Sin', 7, -2, 2],
  ['Cos', 7, -2, 2],
  ['Tan', 7, -1, 1],
  ['Asin', 7, -0.8, 0.8],
  ['Acos', 7, -0.8, 0.8],
  ['Atan', 7, -2, 2],
  ['Sinh', 9, -1, 1],
  ['Cosh', 9, -1, 1],
  ['Tanh', 7, -1, 1],
  ['Asinh', 9, -1, 1],
  ['Acosh', 9, 1.5, 3],
  ['Atanh', 9, -0.7, 0.7],
  ['Erf', 9, -1, 1],
  ['Sigmoid', 7, -2, 2],
  ['Softplus', 7, -2, 2],
  ['Softsign', 7, -2, 2],
];

const WITH_KINK_AT_0 = new Set(['Abs', 'Softsign']);

/** What ONNX Runtime computes in float64 too. */
const WITH_FLOAT64 = new Set([
  'Abs',
  'Neg',
  'Exp',
  'Log',
  'Sqrt',
  'Reciprocal',
  'Sin',
  'Cos',
  'Tanh',
  'Sigmoid',
]);

describe('functions of one tensor', () => {
  test.each(FUNCTIONS)('%s', async (op, since, from, to) => {
    const avoid = WITH_KINK_AT_0.has(op) ? [0] : [];
    for (const opset of new Set([since, 13, 22]))
      await checkVjp(op, { opset, inputs: [{ shape: [3, 5], from, to }], avoid });
    await checkVjp(op, { opset: 18, inputs: [{ shape: [], from, to }], avoid });
    if (!WITH_FLOAT64.has(op)) return;
    const wide = { shape: [7], from, to, dtype: 'float64' } as const;
    await checkVjp(op, { opset: 13, inputs: [wide], avoid });
  });

  test('the slope of |x| at 0 is 0', async () => {
    const x = { shape: [3], values: [-2, 0, 3] };
    expect(await runVjp('Abs', { opset: 8, inputs: [x] }, [1, 1, 1])).toEqual([-1, 0, 1]);
    expect(await runVjp('Abs', { opset: 13, inputs: [x] }, [1, 1, 1])).toEqual([-1, 0, 1]);
  });
});
