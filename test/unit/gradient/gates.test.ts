import { describe, test } from 'vitest';
import { attributesOf } from './attributes';
import { checkVjp } from './checkVjp';

const x = { shape: [3, 5], from: -2, to: 2 };
const microsoft = { opset: 17, domain: 'com.microsoft' };

describe('activations with a gate', () => {
  test.each([
    ['Swish', 24, {}],
    ['Swish', 24, { alpha: 1.7 }],
    ['Mish', 18, {}],
    ['Mish', 22, {}],
    ['Gelu', 20, {}],
    ['Gelu', 20, { approximate: 'none' }],
    ['Gelu', 20, { approximate: 'tanh' }],
  ])('%s at opset %i with %j', (op, opset, plain) =>
    checkVjp(op, { opset, inputs: [x], attributes: attributesOf(plain) }),
  );
  test.each([
    ['Gelu', {}],
    ['QuickGelu', {}],
    ['QuickGelu', { alpha: { float: 1 } }],
    ['FastGelu', {}],
  ])('com.microsoft.%s with %j', (op, plain) =>
    checkVjp(op, { ...microsoft, inputs: [x], attributes: attributesOf(plain) }),
  );
  test('com.microsoft.FastGelu with a bias', () =>
    checkVjp('FastGelu', { ...microsoft, inputs: [x, { shape: [5] }] }));
});
