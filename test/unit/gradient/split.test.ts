import { describe, test } from 'vitest';
import { attributesOf } from './attributes';
import { checkVjp, type VjpCase } from './checkVjp';

/** The sizes as the opset takes them. */
function splitCase(opset: number, axis: number, sizes: readonly number[] | null): VjpCase {
  const outputs = sizes?.length ?? 3;
  const data = { shape: [2, 6, 3] };
  if (!sizes)
    return {
      opset,
      outputs,
      inputs: [data],
      attributes: attributesOf(opset < 18 ? { axis } : { axis, num_outputs: outputs }),
    };
  if (opset < 13)
    return { opset, outputs, inputs: [data], attributes: attributesOf({ axis, split: sizes }) };
  const split = {
    shape: [outputs],
    dtype: 'int64',
    values: sizes,
    constant: axis !== 1,
  } as const;
  return { opset, outputs, inputs: [data, split], attributes: attributesOf({ axis }) };
}

describe.each([7, 11, 13, 18])('Split at opset %i', opset => {
  test.each([
    [1, [1, 2, 3]],
    [1, [6]],
    [2, [1, 2]],
    [1, null],
  ])('along %i into %j, each piece on its own', async (axis, sizes) => {
    const given = splitCase(opset, axis, sizes);
    for (let output = 0; output < (given.outputs ?? 1); output++)
      await checkVjp('Split', { ...given, output });
  });
});

test('Split into unequal pieces, the last one smaller', async () => {
  for (const output of [0, 2])
    await checkVjp('Split', {
      opset: 18,
      inputs: [{ shape: [7, 2], dtype: 'float64' }],
      attributes: attributesOf({ num_outputs: 3, axis: -2 }),
      outputs: 3,
      output,
    });
});
