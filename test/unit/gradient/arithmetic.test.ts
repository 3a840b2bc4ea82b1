import { describe, test } from 'vitest';
import { checkVjp } from './checkVjp';

describe.each([7, 8, 13, 14, 18])('arithmetic at opset %i', opset => {
  const shapes = [
    [
      [2, 3, 4],
      [2, 3, 4],
    ],
    [[2, 3, 4], [4]],
    [
      [3, 1],
      [2, 1, 5],
    ],
    [[], [2, 3]],
  ] as const;
  test.each(shapes)('Add, Sub, Mul and Div of %j and %j', async (a, b) => {
    for (const op of ['Add', 'Sub', 'Mul'])
      await checkVjp(op, { opset, inputs: [{ shape: a }, { shape: b }] });
    await checkVjp('Div', { opset, inputs: [{ shape: a }, { shape: b, from: 0.6, to: 2 }] });
  });
  test('Relu', () => checkVjp('Relu', { opset, inputs: [{ shape: [3, 7] }], avoid: [0] }));
  test('in float64', () =>
    checkVjp('Mul', {
      opset,
      inputs: [
        { shape: [3, 7], dtype: 'float64' },
        { shape: [7], dtype: 'float64' },
      ],
    }));
});
