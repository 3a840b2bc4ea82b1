import { describe, test } from 'vitest';
import { attributesOf } from './attributes';
import { checkVjp } from './checkVjp';

describe.each([7, 10, 11, 13])('Concat at opset %i', opset => {
  test.each([
    [[[2, 3]], 0],
    [
      [
        [2, 3],
        [2, 1],
        [2, 4],
      ],
      1,
    ],
    [
      [
        [1, 2, 3],
        [2, 2, 3],
      ],
      -3,
    ],
    [
      [
        [2, 0],
        [2, 3],
      ],
      -1,
    ],
  ])('of %j along %i', (shapes, axis) =>
    checkVjp('Concat', {
      opset,
      inputs: shapes.map(shape => ({ shape })),
      attributes: attributesOf({
        axis: opset < 11 && axis < 0 ? axis + 3 - (axis === -1 ? 1 : 0) : axis,
      }),
    }),
  );
  test('in float64, of a constant too', () =>
    checkVjp('Concat', {
      opset,
      inputs: [
        { shape: [2, 2], dtype: 'float64', constant: true },
        { shape: [1, 2], dtype: 'float64' },
      ],
      attributes: attributesOf({ axis: 0 }),
    }));
});
