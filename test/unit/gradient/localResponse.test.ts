import { test } from 'vitest';
import { attributesOf } from './attributes';
import { checkVjp } from './checkVjp';

test.each([
  [7, [2, 6, 3, 2], { size: 3, alpha: 0.5, beta: 0.75, bias: { float: 2 } }],
  [13, [1, 3, 2, 2], { size: 5, alpha: 0.5, beta: 0.5 }],
  [13, [1, 4, 2, 2], { size: 1, alpha: 0.5 }],
] as const)('LRN at opset %i of %j with %j', (opset, shape, attributes) =>
  checkVjp('LRN', { opset, inputs: [{ shape }], attributes: attributesOf(attributes) }),
);
