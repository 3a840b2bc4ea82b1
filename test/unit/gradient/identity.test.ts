import { describe, expect, test } from 'vitest';
import { isDifferentiable } from '../../../server/src/gradient/activePath';
import { nodeOf } from '../shapes/smallGraphs';
import { checkVjp, vjpErrors } from './checkVjp';

const FLOAT = 1;
const INT64 = 7;
const BOOL = 9;
const DOUBLE = 11;
const to = (value: number) => ({ to: { kind: 'int', value } }) as const;

describe('what passes values on', () => {
  test.each([7, 13, 19])('Identity at opset %i', opset =>
    checkVjp('Identity', { opset, inputs: [{ shape: [2, 3] }] }),
  );

  test.each([7, 10, 12, 13, 22])('Dropout at opset %i', async opset => {
    const x = { shape: [2, 3] };
    await checkVjp('Dropout', { opset, inputs: [x] });
    if (opset < 12) return;
    const ratio = { shape: [], values: [0.5], constant: true };
    const mode = { shape: [], dtype: 'bool', values: [0] } as const;
    await checkVjp('Dropout', { opset, inputs: [x, ratio], outputs: 2 });
    await checkVjp('Dropout', { opset, inputs: [x, null, mode] });
    const nothing = { shape: [], values: [0] };
    const training = { ...mode, values: [1] };
    await checkVjp('Dropout', { opset, inputs: [x, nothing, training], check: [0] });
  });

  test('OptionalGetElement of a tensor', () =>
    checkVjp('OptionalGetElement', { opset: 18, inputs: [{ shape: [2, 3] }] }));

  test('casts between float types', async () => {
    for (const opset of [7, 9, 13, 21]) {
      await checkVjp('Cast', { opset, inputs: [{ shape: [5] }], attributes: to(DOUBLE) });
      const wide = { shape: [5], dtype: 'float64' } as const;
      await checkVjp('Cast', { opset, inputs: [wide], attributes: to(FLOAT) });
    }
    const like = { shape: [1], dtype: 'float64', values: [0] } as const;
    await checkVjp('CastLike', { opset: 19, inputs: [{ shape: [5] }, like], check: [0] });
  });

  test.each([
    [FLOAT, false],
    [DOUBLE, false],
    [INT64, true],
    [BOOL, true],
  ])('a cast to type %i is a constant: %s', (type, constant) => {
    const node = nodeOf(0, 'Cast', ['x'], ['y'], new Map(Object.entries(to(type))));
    expect(isDifferentiable(node)).toBe(!constant);
  });

  test('a dropout that drops is refused', async () => {
    const mode = { shape: [], dtype: 'bool', values: [1] } as const;
    const given = { opset: 13, inputs: [{ shape: [5] }, null, mode] };
    await expect(vjpErrors('Dropout', given)).rejects.toThrow(/training_mode/);
  });
});
