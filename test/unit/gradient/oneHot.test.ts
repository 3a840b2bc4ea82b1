import { describe, test } from 'vitest';
import { checkVjp } from './checkVjp';

describe('OneHot', () => {
  test.each([
    [9, -1],
    [11, 0],
    [11, 1],
  ])('at opset %i along axis %i', (opset, axis) =>
    checkVjp('OneHot', {
      opset,
      inputs: [
        { shape: [2, 2], dtype: 'int64', values: [0, 3, 7, 1] },
        { shape: [], dtype: 'int64', values: [4], constant: true },
        { shape: [2] },
      ],
      attributes: { axis: { kind: 'int', value: axis } },
    }),
  );
});
