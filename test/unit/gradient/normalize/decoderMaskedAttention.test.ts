import { describe, test } from 'vitest';
import { expectSame, type NodeCase } from './written';

const [B, N, D, T] = [2, 3, 4, 5];
const W = N * D;
const one = { shape: [B, 1, W] };
const heads = (length: number) => ({ shape: [B, N, length, D] });

const masked = (inputs: NodeCase['inputs'], outputs = [0]): NodeCase => ({
  op: 'DecoderMaskedMultiHeadAttention',
  inputs,
  attributes: { num_heads: N },
  outputs,
});

describe('com.microsoft.DecoderMaskedMultiHeadAttention', () => {
  const cases: readonly (readonly [string, NodeCase])[] = [
    ['keys of an encoder', masked([one, heads(T), heads(T)])],
    [
      'a mask',
      masked([
        one,
        heads(T),
        heads(T),
        {
          shape: [B, T],
          dtype: 'int32',
          values: [1, 1, 1, 0, 0, 1, 1, 1, 1, 0],
        },
      ]),
    ],
    [
      'a past',
      {
        ...masked(
          [
            one,
            one,
            one,
            null,
            null,
            heads(T),
            heads(T),
            { shape: [1], dtype: 'int32', values: [3] },
          ],
          [0, 1, 2],
        ),
        attributes: { num_heads: N, past_present_share_buffer: 1 },
      },
    ],
    [
      'a bias',
      masked([
        one,
        heads(T),
        heads(T),
        null,
        null,
        null,
        null,
        null,
        null,
        null,
        { shape: [3 * W] },
      ]),
    ],
  ];
  test.each(cases)('%s', async (_, given) => {
    await expectSame(given);
  });
});
