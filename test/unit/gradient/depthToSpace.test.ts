import { test } from 'vitest';
import { attributesOf } from './attributes';
import { checkVjp } from './checkVjp';

test.each([
  ['DepthToSpace', 7, [2, 8, 2, 3], { blocksize: 2 }],
  ['DepthToSpace', 11, [1, 18, 2, 1], { blocksize: 3, mode: 'CRD' }],
  ['DepthToSpace', 13, [1, 8, 3, 2], { blocksize: 2, mode: 'DCR' }],
  ['SpaceToDepth', 7, [2, 3, 4, 6], { blocksize: 2 }],
  ['SpaceToDepth', 13, [1, 2, 6, 3], { blocksize: 3 }],
] as const)('%s at opset %i of %j with %j', (op, opset, shape, attributes) =>
  checkVjp(op, { opset, inputs: [{ shape }], attributes: attributesOf(attributes) }),
);

test('in float64', () =>
  checkVjp('DepthToSpace', {
    opset: 13,
    inputs: [{ shape: [1, 4, 2, 2], dtype: 'float64' }],
    attributes: attributesOf({ blocksize: 2 }),
  }));
