import { describe, expect, test } from 'vitest';
import { attributesOf } from './attributes';
import { checkVjp } from './checkVjp';
import { runVjp } from './runVjp';

describe.each([7, 13, 22])('global pooling at opset %i', opset => {
  test.each([[[2, 3, 4, 5]], [[1, 2, 6]], [[1, 2, 2, 3, 2]]])('of %j', async shape => {
    await checkVjp('GlobalAveragePool', { opset, inputs: [{ shape }] });
    const places = shape.reduce((a, b) => a * b, 1);
    const apart = Array.from({ length: places }, (_, i) => ((i * 7919) % 127) / 50);
    await checkVjp('GlobalMaxPool', { opset, inputs: [{ shape, values: apart }] });
    if (opset === 22) return;
    for (const p of [1, 2, 3])
      await checkVjp('GlobalLpPool', {
        opset,
        inputs: [{ shape }],
        attributes: attributesOf({ p }),
        avoid: [0],
      });
  });
  test('the first of several maxima gets the gradient', async () => {
    const x = { shape: [1, 2, 2, 2], values: [0, 3, 3, 1, 5, 5, 5, 5] };
    const gradient = await runVjp('GlobalMaxPool', { opset, inputs: [x] }, [1, 2]);
    expect(gradient).toEqual([0, 1, 0, 0, 2, 0, 0, 0]);
  });
});

// ONNX Runtime has no GlobalLpPool of version 22
test.each([7, 13])('a channel of zeros has no gradient at opset %i', async opset => {
  const x = { shape: [1, 1, 2], values: [0, 0] };
  expect(await runVjp('GlobalLpPool', { opset, inputs: [x] }, [1])).toEqual([0, 0]);
});
