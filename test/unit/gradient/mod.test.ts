import { test } from 'vitest';
import { checkVjp } from './checkVjp';

test.each([
  [10, [2, 3], [3]],
  [13, [3], [2, 3]],
])('Mod at opset %i of %j and %j', (opset, a, b) =>
  checkVjp('Mod', {
    opset,
    inputs: [
      { shape: a, from: 4.8, to: 5.2 },
      { shape: b, from: 1.9, to: 2.1 },
    ],
    attributes: { fmod: { kind: 'int', value: 1 } },
  }),
);
test('Mod of negative numbers', () =>
  checkVjp('Mod', {
    opset: 13,
    inputs: [
      { shape: [4], from: -5.2, to: -4.8 },
      { shape: [4], from: 1.9, to: 2.1 },
    ],
    attributes: { fmod: { kind: 'int', value: 1 } },
  }));
