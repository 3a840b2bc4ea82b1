import { test } from 'vitest';
import { attributesOf } from './attributes';
import { checkVjp } from './checkVjp';

test.each([
  [[2, 3, 4, 5], 0],
  [[2, 1, 3, 4], 1],
  [[1, 2, 2, 3, 4], 0],
  [[2, 2, 3, 2, 4], 1],
] as const)('AffineGrid of %j, align_corners %i', (size, align) =>
  checkVjp('AffineGrid', {
    opset: 20,
    inputs: [
      { shape: [size[0], size.length - 2, size.length - 1] },
      { shape: [size.length], dtype: 'int64', values: size, constant: true },
    ],
    attributes: attributesOf({ align_corners: align }),
  }),
);
