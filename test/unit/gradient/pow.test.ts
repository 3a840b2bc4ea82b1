import { describe, expect, test } from 'vitest';
import { checkVjp } from './checkVjp';
import { runVjp } from './runVjp';

const constant = (value: number) => ({ shape: [], values: [value], constant: true });

describe.each([7, 12, 13, 15])('Pow at opset %i', opset => {
  test.each([0, 1, 2, 3, -1])('to the constant power of %i, negative bases too', async power => {
    const x = { shape: [2, 5] };
    if (power !== 0) {
      await checkVjp('Pow', { opset, inputs: [x, constant(power)], avoid: [0] });
      await checkVjp('Pow', {
        opset,
        inputs: [x, { shape: [1], values: [power] }],
        check: [0],
        avoid: [0],
      });
    }
    const bases = { shape: [3], values: [-2, 0, 2] };
    const slopes = [-2, 0, 2].map(base => (power === 0 ? 0 : power * base ** (power - 1)));
    for (const exponent of [constant(power), { shape: [1], values: [power] }])
      expect(await runVjp('Pow', { opset, inputs: [bases, exponent] }, [1, 1, 1])).toEqual(slopes);
  });

  test('of broadcasting operands', async () => {
    const base = { from: 0.5, to: 2 };
    await checkVjp('Pow', { opset, inputs: [{ shape: [2, 3], ...base }, { shape: [3] }] });
    await checkVjp('Pow', { opset, inputs: [{ shape: [3, 1], ...base }, { shape: [2, 1, 4] }] });
    await checkVjp('Pow', { opset, inputs: [{ shape: [2, 3], ...base }, constant(0.5)] });
    await checkVjp('Pow', { opset, inputs: [{ ...constant(2) }, { shape: [4] }] });
  });
});

test('types of their own', async () => {
  const wide = { shape: [3], dtype: 'float64', from: 0.5, to: 2 } as const;
  await checkVjp('Pow', { opset: 13, inputs: [wide, wide] });
  await checkVjp('Pow', { opset: 13, inputs: [wide, { shape: [3] }] });
  const whole = { shape: [3], dtype: 'int64', values: [2, 0, 3] } as const;
  await checkVjp('Pow', { opset: 13, inputs: [{ shape: [3] }, whole] });
  await checkVjp('Pow', { opset: 13, inputs: [{ shape: [3] }, { ...whole, constant: true }] });
});

test('the slope of 0ᵇ with respect to b is 0', async () => {
  const exponents = { shape: [3], values: [1, 2, 3] };
  const swapped = { opset: 13, inputs: [exponents, exponents] };
  expect(await runVjp('Pow', swapped, [1, 1, 1])).toEqual([1, 4, 27]);
});
