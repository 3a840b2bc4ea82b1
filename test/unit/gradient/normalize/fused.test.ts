import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { expectSame, madeOf, normalOf, numeric, run, type Given, type NodeCase } from './written';

const [B, S, W] = [2, 5, 8];
const x = { shape: [B, S, W] };
const width = { shape: [W] };
const float = (value: number) => ({ kind: 'float', value }) as const;
const floats = (...value: number[]) => ({ kind: 'floats', value }) as const;

describe.each([11, 17])('normalisations at opset %i', opset => {
  const skip = (
    inputs: NodeCase['inputs'],
    outputs: readonly number[],
    epsilon = 1e-3,
  ): NodeCase => ({
    op: 'SkipLayerNormalization',
    opset,
    inputs,
    outputs,
    attributes: { epsilon },
  });
  const ids = (values: readonly number[], shape: readonly number[] = [B, S]) => ({
    shape,
    dtype: 'int32' as const,
    values,
  });
  const words = ids([1, 0, 3, 2, 6, 5, 4, 3, 2, 1]);
  const kinds = ids([0, 0, 1, 1, 1, 0, 1, 1, 1, 1]);
  const embed = (inputs: NodeCase['inputs'], outputs: readonly number[]): NodeCase => ({
    op: 'EmbedLayerNormalization',
    opset,
    inputs,
    outputs,
    attributes: { epsilon: float(1e-5) },
  });
  const tables = [{ shape: [7, W] }, { shape: [6, W] }] as const;
  const cases: readonly (readonly [string, NodeCase])[] = [
    ['skip', skip([x, x, width, width, width], [0, 3])],
    ['skip without beta and bias', skip([x, x, width], [0])],
    ['a skip for all of the batch', skip([x, { shape: [1, S, W] }, width, null, width], [0, 3])],
    ['a skip of rank 2', skip([x, { shape: [S, W] }, width, width], [0])],
    [
      'skip, simplified',
      { ...skip([x, x, width, width], [0, 3]), op: 'SkipSimplifiedLayerNormalization' },
    ],
    [
      'embeddings',
      embed(
        [
          words,
          kinds,
          ...tables,
          { shape: [2, W] },
          width,
          width,
          ids([1, 1, 1, 1, 0, 1, 1, 0, 0, 0]),
        ],
        [0, 1, 2],
      ),
    ],
    [
      'embeddings without segments and mask',
      embed([words, null, ...tables, null, width, width], [0, 1]),
    ],
    [
      'embeddings with positions',
      embed(
        [words, null, ...tables, null, width, width, null, ids([5, 4, 3, 2, 1, 0, 1, 2, 3, 4])],
        [0, 2],
      ),
    ],
    [
      'embeddings with the same positions',
      embed(
        [words, null, ...tables, null, width, width, null, ids([5, 4, 3, 2, 1], [1, S])],
        [0, 1],
      ),
    ],
  ];
  test.each(cases)('%s', async (_, given) => {
    await expectSame(given);
  });
});

describe('activations with a bias', () => {
  test('BiasGelu', async () => {
    await expectSame({ op: 'BiasGelu', inputs: [x, width] }, ['Gelu']);
  });
});

describe.each([7, 11, 17])('FusedConv at opset %i', opset => {
  const conv = (inputs: NodeCase['inputs'], attributes: NodeCase['attributes'] = {}): NodeCase => ({
    op: 'FusedConv',
    opset,
    inputs: [{ shape: [2, 4, 7, 6] }, { shape: [6, 2, 3, 3] }, ...inputs],
    attributes: { group: 2, pads: [1, 1, 1, 0], strides: [2, 1], ...attributes },
  });
  const bias = { shape: [6] };
  const cases: readonly (readonly [string, NodeCase])[] = [
    ['Relu', conv([bias], { activation: 'Relu' })],
    ['no bias, Tanh', conv([], { activation: 'Tanh' })],
    ['Sigmoid', conv([bias], { activation: 'Sigmoid' })],
    ['LeakyRelu', conv([bias], { activation: 'LeakyRelu', activation_params: floats(0.2) })],
    ['Clip', conv([bias], { activation: 'Clip', activation_params: floats(-0.5, 0.7) })],
    [
      'HardSigmoid',
      conv([bias], { activation: 'HardSigmoid', activation_params: floats(0.3, 0.4) }),
    ],
    ['a sum', conv([bias, { shape: [2, 6, 4, 5] }], { activation: 'Relu' })],
    ['no activation', conv([bias])],
  ];
  test.each(cases)('%s', async (_, given) => {
    await expectSame(given);
  });
});

describe.each([7, 13])('matrices at opset %i', opset => {
  const gemm = (inputs: NodeCase['inputs'], attributes: NodeCase['attributes'] = {}): NodeCase => ({
    op: 'FusedGemm',
    opset,
    inputs,
    attributes: { alpha: float(0.7), activation: 'Relu', ...attributes },
  });
  const product = (
    a: readonly number[],
    b: readonly number[],
    attributes: NodeCase['attributes'] = {},
  ): NodeCase => ({
    op: 'FusedMatMul',
    opset,
    inputs: [{ shape: a }, { shape: b }],
    attributes: { alpha: float(0.7), ...attributes },
  });
  const cases: readonly (readonly [string, NodeCase])[] = [
    [
      'FusedGemm',
      gemm([{ shape: [3, 4] }, { shape: [4, 5] }, { shape: [5] }], { beta: float(0.4) }),
    ],
    [
      'FusedGemm transposed',
      gemm([{ shape: [4, 3] }, { shape: [5, 4] }], {
        transA: 1,
        transB: 1,
        activation: 'LeakyRelu',
        activation_alpha: float(0.1),
      }),
    ],
    ['FusedGemm, Sigmoid', gemm([{ shape: [3, 4] }, { shape: [4, 5] }], { activation: 'Sigmoid' })],
    [
      'TransposeMatMul',
      { ...product([2, 4, 3], [2, 5, 4], { transA: 1, transB: 1 }), op: 'TransposeMatMul' },
    ],
    [
      'FusedMatMul by batch',
      product([3, 2, 4], [5, 2, 4], { transBatchA: 1, transBatchB: 1, transB: 1 }),
    ],
    ['FusedMatMul of rank 4 by batch', product([3, 2, 2, 4], [2, 2, 4, 5], { transBatchA: 1 })],
    [
      'FusedMatMul, all of it',
      product([4, 2, 3], [5, 2, 4], { transBatchA: 1, transA: 1, transBatchB: 1, transB: 1 }),
    ],
  ];
  test.each(cases)('%s', async (_, given) => {
    await expectSame(given);
  });
});

interface Reference {
  readonly name: string;
  readonly op: string;
  readonly inputs: readonly (Given | null)[];
  readonly attributes: Readonly<Record<string, number | string | readonly number[]>>;
  readonly outputs: readonly Required<Pick<Given, 'shape' | 'values'>>[];
}

/** Operators that ONNX Runtime has no CPU kernel for, against PyTorch (makeFused.py; six decimals are stored). */
const references: readonly Reference[] = JSON.parse(
  readFileSync(path.join(import.meta.dirname, '../../../fixtures/gradient/fused.json'), 'utf8'),
);

test.each(references)('$op: $name', async ({ op, inputs, attributes, outputs }) => {
  const {
    model,
    feeds,
    outputs: names,
  } = madeOf({ op, inputs, attributes, outputs: outputs.map((_, i) => i) });
  const normal = normalOf(model, feeds);
  expect(normal.model.graph.nodes.filter(node => node.domain !== '' && node.op !== 'Gelu')).toEqual(
    [],
  );
  const got = await run(normal.model, feeds, names);
  for (const [i, { shape, values }] of outputs.entries()) {
    expect(got[i]?.dims).toEqual(shape);
    numeric(got[i]).forEach((value, k) =>
      expect(Math.abs(value - (values[k] ?? NaN))).toBeLessThan(1e-5),
    );
  }
});
