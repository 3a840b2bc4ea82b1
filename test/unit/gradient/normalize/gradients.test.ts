import { expect, test } from 'vitest';
import { inferValues } from '../../../../server/src/onnx/shapes/inferShapes';
import { directionalErrors, random, TOLERANCE } from '../finiteDifferences';
import { tensorOf } from '../runtime';
import { madeOf, normalOf, type NodeCase } from './written';

const [B, S, W, N] = [2, 4, 6, 2];
const x = { shape: [B, S, W] };
const int = (values: readonly number[], shape: readonly number[]) =>
  ({ shape, dtype: 'int32', values }) as const;
const bool = (values: readonly number[], shape: readonly number[]) =>
  ({ shape, dtype: 'bool', values }) as const;

const cases: readonly NodeCase[] = [
  {
    op: 'Attention',
    opset: 11,
    inputs: [x, { shape: [W, 3 * W] }, { shape: [3 * W] }, int([3, 4], [2])],
    attributes: { num_heads: N, unidirectional: 1 },
  },
  {
    op: 'MultiHeadAttention',
    inputs: [x, x, x, { shape: [3 * W] }, null, { shape: [1, N, S, S] }],
    attributes: { num_heads: N },
  },
  {
    op: 'Attention',
    domain: '',
    opset: 23,
    inputs: [
      { shape: [1, 4, 3, 2] },
      { shape: [1, 2, 5, 2] },
      { shape: [1, 2, 5, 3] },
      bool(
        Array.from({ length: 15 }, (_, i) => Number(i > 5)),
        [3, 5],
      ),
    ],
    attributes: { softcap: 0.7 },
  },
  {
    op: 'SkipLayerNormalization',
    opset: 11,
    inputs: [x, x, { shape: [W] }, { shape: [W] }, { shape: [W] }],
  },
  {
    op: 'SkipLayerNormalization',
    opset: 17,
    inputs: [x, { shape: [S, W] }, { shape: [W] }, { shape: [W] }],
  },
  { op: 'SkipSimplifiedLayerNormalization', inputs: [x, x, { shape: [W] }] },
  { op: 'BiasGelu', inputs: [x, { shape: [W] }] },
  {
    op: 'FusedConv',
    opset: 11,
    inputs: [
      { shape: [1, 2, 5, 5] },
      { shape: [3, 2, 3, 3] },
      { shape: [3] },
      { shape: [1, 3, 5, 5] },
    ],
    attributes: { pads: [1, 1, 1, 1], activation: 'Tanh' },
  },
  {
    op: 'FusedGemm',
    opset: 13,
    inputs: [{ shape: [3, 4] }, { shape: [4, 5] }, { shape: [5] }],
    attributes: { activation: 'Sigmoid' },
  },
];

/** The gradient of the form against central differences of ONNX Runtime's fused operator. */
test.each(cases)('$op at opset $opset', async given => {
  const { model, feeds } = madeOf(given);
  const normal = normalOf(model, feeds).model;
  const tensors = Object.entries(feeds).map(
    ([name, { dtype, shape, data }]) =>
      [name, tensorOf(dtype, shape, Array.from(data, Number))] as const,
  );
  const errors = await directionalErrors({
    model: normal,
    original: model,
    facts: inferValues(normal, { readConstant: () => null }),
    feeds: new Map(tensors),
    target: 'y0',
    withRespectTo: Object.entries(feeds)
      .filter(([, { dtype }]) => dtype === 'float32')
      .map(([name]) => name),
    next: random(4),
  });
  for (const { name, error, emitted } of errors)
    expect([name, emitted, error < TOLERANCE]).toEqual([name, true, true]);
});
