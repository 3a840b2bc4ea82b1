import { describe, expect, test } from 'vitest';
import { expectSame, type NodeCase } from './written';

const [B, S, W, N] = [2, 5, 12, 3];
const x = { shape: [B, S, W] };
const weights = { shape: [W, 3 * W], constant: true };
const bias = { shape: [3 * W] };
const int = (values: readonly number[], shape: readonly number[] = [values.length]) => ({
  shape,
  dtype: 'int32' as const,
  values,
});

const packed = (
  inputs: NodeCase['inputs'],
  attributes: NodeCase['attributes'] = {},
  outputs = [0],
): NodeCase => ({
  op: 'Attention',
  inputs: [x, weights, ...inputs],
  attributes: { num_heads: N, ...attributes },
  outputs,
});
const past = { shape: [2, B, N, 4, W / N] };

describe.each([11, 17])('com.microsoft.Attention at opset %i', opset => {
  const cases: readonly (readonly [string, NodeCase])[] = [
    ['bias', packed([bias])],
    ['causal', packed([bias], { unidirectional: 1 })],
    ['lengths', packed([bias, int([3, 5])])],
    ['ends and starts', packed([bias, int([5, 4, 2, 0])])],
    ['a mask of keys', packed([bias, int([1, 1, 1, 0, 0, 0, 1, 1, 1, 1], [B, S])])],
    [
      'a mask of pairs',
      packed([
        bias,
        int(
          Array.from({ length: B * S * S }, (_, i) => i % 3),
          [B, S, S],
        ),
      ]),
    ],
    ['a past', packed([bias, null, past], { unidirectional: 1 }, [0, 1])],
    [
      'a past and a mask',
      packed(
        [
          bias,
          int(
            Array.from({ length: B * 9 }, (_, i) => Number(i % 4 > 0)),
            [B, 9],
          ),
          past,
        ],
        { unidirectional: 1 },
        [0, 1],
      ),
    ],
    ['scale and filter', packed([bias, int([3, 5])], { scale: 0.3, mask_filter_value: -2.5 })],
    ['attention bias', packed([bias, int([3, 5]), null, { shape: [1, N, S, S] }])],
    [
      'unequal widths',
      {
        op: 'Attention',
        inputs: [x, { shape: [W, 30] }, { shape: [30] }],
        attributes: { num_heads: N, qkv_hidden_sizes: [9, 9, 12] },
      },
    ],
  ];
  test.each(cases)('%s', async (_, given) => {
    const { model } = await expectSame({ ...given, opset });
    expect(model.graph.nodes.filter(node => node.op === 'Softmax').map(node => node.name)).toEqual([
      'node/softmax',
    ]);
  });
});

describe('com.microsoft.MultiHeadAttention', () => {
  const [T, V] = [4, 6];
  const q = { shape: [B, S, W] };
  const k = { shape: [B, T, W] };
  const v = { shape: [B, T, V] };
  const full = { shape: [3 * W] };
  const all = { shape: [2 * W + V] };
  const multi = (
    inputs: NodeCase['inputs'],
    attributes: NodeCase['attributes'] = {},
    outputs = [0],
  ): NodeCase => ({
    op: 'MultiHeadAttention',
    inputs,
    attributes: { num_heads: N, ...attributes },
    outputs,
  });
  const heads = (length: number, size: number) => ({ shape: [B, N, length, size] });
  const cases: readonly (readonly [string, NodeCase])[] = [
    ['apart', multi([q, k, v])],
    ['with a bias', multi([q, k, v, all])],
    ['lengths', multi([q, k, v, all, int([2, 4])])],
    ['a mask of keys', multi([q, k, v, all, int([1, 1, 0, 1, 0, 1, 1, 1], [B, T])])],
    [
      'a mask of pairs',
      multi([
        q,
        k,
        v,
        null,
        int(
          Array.from({ length: B * S * T }, (_, i) => i % 3),
          [B, S, T],
        ),
      ]),
    ],
    ['attention bias', multi([q, k, v, all, null, { shape: [1, N, S, T] }], { scale: 0.4 })],
    ['causal', multi([q, { shape: [B, S, W] }, { shape: [B, S, W] }], { unidirectional: 1 })],
    ['a past', multi([q, k, k, full, null, null, heads(3, W / N), heads(3, W / N)], {}, [0, 1, 2])],
    [
      'a past, causal',
      multi(
        [
          q,
          { shape: [B, S, W] },
          { shape: [B, S, W] },
          full,
          null,
          null,
          heads(3, W / N),
          heads(3, W / N),
        ],
        { unidirectional: 1 },
        [0, 1, 2],
      ),
    ],
    ['keys with heads', multi([q, heads(T, W / N), heads(T, W / N)])],
    [
      'keys with heads and a bias',
      multi([q, heads(T, W / N), heads(T, W / N), { shape: [3 * W] }]),
    ],
    ['scores', multi([q, k, v, all, int([2, 4])], {}, [0, 3])],
  ];
  test.each(cases)('%s', async (_, given) => {
    await expectSame(given);
  });
});

describe('Attention', () => {
  const [T, V, K] = [4, 5, 3];
  const q = { shape: [B, 6, S, 4] };
  const k = { shape: [B, K, T, 4] };
  const v = { shape: [B, K, T, V] };
  const attention = (
    inputs: NodeCase['inputs'],
    attributes: NodeCase['attributes'] = {},
    outputs = [0],
  ): NodeCase => ({
    op: 'Attention',
    domain: '',
    opset: 23,
    inputs,
    attributes,
    outputs,
  });
  const longs = (...values: number[]) => ({
    shape: [values.length],
    dtype: 'int64' as const,
    values,
  });
  const bool = (shape: readonly number[], values: readonly number[]) => ({
    shape,
    dtype: 'bool' as const,
    values,
  });
  const mixed = Array.from({ length: S * T }, (_, i) => Number(i % 3 > 0));
  const past = [{ shape: [B, K, 3, 4] }, { shape: [B, K, 3, V] }];
  const cases: readonly (readonly [string, NodeCase])[] = [
    ['grouped', attention([q, k, v], {}, [0, 3])],
    ['scaled', attention([q, k, v], { scale: 0.3 })],
    [
      'flat',
      attention([{ shape: [B, S, 24] }, { shape: [B, T, 12] }, { shape: [B, T, 15] }], {
        q_num_heads: 6,
        kv_num_heads: 3,
      }),
    ],
    ['causal', attention([q, k, v], { is_causal: 1 })],
    ['causal, past', attention([q, k, v, null, ...past], { is_causal: 1 }, [0, 1, 2])],
    ['float mask', attention([q, k, v, { shape: [S, T] }])],
    ['bool mask', attention([q, k, v, bool([S, T], mixed)])],
    ['bool mask, causal', attention([q, k, v, bool([1, 1, S, T], mixed)], { is_causal: 1 })],
    [
      'row masked',
      attention([
        q,
        k,
        v,
        bool(
          [S, T],
          mixed.map((m, i) => (i < T ? 0 : m)),
        ),
      ]),
    ],
    ['padding', { ...attention([q, k, v, null, null, null, longs(4, 2)]), opset: 24 }],
    [
      'padding, causal',
      { ...attention([q, k, v, null, null, null, longs(4, 2)], { is_causal: 1 }), opset: 24 },
    ],
    ...[0, 1, 2, 3].map(
      mode =>
        [
          `mode ${mode}`,
          attention(
            [q, k, v, { shape: [S, T] }],
            { softcap: 0.5, is_causal: 0, qk_matmul_output_mode: mode },
            [0, 3],
          ),
        ] as const,
    ),
  ];
  test.each(cases)('%s', async (_, given) => {
    await expectSame(given);
  });
});

describe('rotary embeddings', () => {
  const [batch, length, heads, size] = [2, 5, 3, 8];
  const given = { shape: [batch, heads, length, size] };
  const flat = { shape: [batch, length, heads * size] };
  const tables = (pairs: number) => [{ shape: [9, pairs] }, { shape: [9, pairs] }];
  const ids = {
    shape: [batch, length],
    dtype: 'int64' as const,
    values: [0, 1, 2, 3, 4, 8, 7, 6, 5, 4],
  };
  const first = { shape: [1], dtype: 'int64' as const, values: [3] };
  const standard = (
    inputs: NodeCase['inputs'],
    attributes: NodeCase['attributes'] = {},
  ): NodeCase => ({ op: 'RotaryEmbedding', domain: '', opset: 23, inputs, attributes });
  const microsoft = (
    inputs: NodeCase['inputs'],
    attributes: NodeCase['attributes'] = {},
  ): NodeCase => ({ op: 'RotaryEmbedding', inputs, attributes });
  const cases: readonly (readonly [string, NodeCase])[] = [
    ['halves', standard([given, ...tables(4), ids])],
    ['neighbours', standard([given, ...tables(4), ids], { interleaved: 1 })],
    ['a part', standard([given, ...tables(2), ids], { rotary_embedding_dim: 4 })],
    ['flat', standard([flat, ...tables(4), ids], { num_heads: heads })],
    [
      'tables by position',
      standard([given, { shape: [batch, length, 4] }, { shape: [batch, length, 4] }]),
    ],
    ['com.microsoft', microsoft([given, ids, ...tables(4)])],
    ['com.microsoft, flat, from a first position', microsoft([flat, first, ...tables(4)])],
    [
      'com.microsoft, a part of neighbours',
      microsoft([flat, ids, ...tables(2)], {
        interleaved: 1,
        num_heads: heads,
        rotary_embedding_dim: 4,
      }),
    ],
  ];
  test.each(cases)('%s', async (_, each) => {
    await expectSame(each);
  });
});
