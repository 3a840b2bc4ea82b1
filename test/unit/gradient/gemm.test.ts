import { describe, test } from 'vitest';
import { attributesOf } from './attributes';
import { checkVjp } from './checkVjp';

const FORMS = [
  [[3, 4], [4, 5], {}],
  [[4, 3], [4, 5], { transA: 1, alpha: 0.5 }],
  [[3, 4], [5, 4], { transB: 1, beta: 0.7 }],
  [[4, 3], [5, 4], { transA: 1, transB: 1, alpha: 1.5, beta: { float: 2 } }],
] as const;

describe('Gemm', () => {
  test.each(FORMS)('of %j and %j with %j', async (a, b, plain) => {
    const attributes = attributesOf(plain);
    for (const opset of [7, 9, 11, 13])
      for (const c of [[5], [3, 1], []])
        await checkVjp('Gemm', {
          opset,
          inputs: [{ shape: a }, { shape: b }, { shape: c }],
          attributes,
        });
    await checkVjp('Gemm', { opset: 11, inputs: [{ shape: a }, { shape: b }], attributes });
    const wide = [a, b, [1, 5]].map(shape => ({ shape, dtype: 'float64' }) as const);
    for (const opset of [7, 13]) await checkVjp('Gemm', { opset, inputs: wide, attributes });
  });
});
