import { describe, test } from 'vitest';
import { expectSame, type Given, type NodeCase } from './written';

// the kernel wants heads of 16 numbers for positions, and a batch of one behind a past
const [S, N, G, D, P] = [5, 4, 2, 16, 3];

const int = (values: readonly number[], shape: readonly number[] = [values.length]): Given => ({
  shape,
  dtype: 'int32',
  values,
});

/** A whole sequence, or one that goes on from a past. */
const grouped = (
  past: number,
  attributes: NodeCase['attributes'] = {},
  more: NodeCase['inputs'] = [],
): NodeCase => {
  const B = past > 0 ? 1 : 2;
  return {
    op: 'GroupQueryAttention',
    inputs: [
      { shape: [B, S, N * D] },
      { shape: [B, S, G * D] },
      { shape: [B, S, G * D] },
      past > 0 ? { shape: [B, G, past, D] } : null,
      past > 0 ? { shape: [B, G, past, D] } : null,
      int(Array<number>(B).fill(past + S - 1), [B]),
      { ...int([past + S], []), constant: true },
      ...more,
    ],
    attributes: { num_heads: N, kv_num_heads: G, ...attributes },
    outputs: [0, 1, 2],
  };
};
const tables = [{ shape: [16, D / 2] }, { shape: [16, D / 2] }];

describe.each([0, P])('com.microsoft.GroupQueryAttention with %i past keys', past => {
  const cases: readonly (readonly [string, NodeCase])[] = [
    ['plain', grouped(past)],
    ['a scale', grouped(past, { scale: 0.2 })],
    ['a cap', grouped(past, { softcap: 0.7 })],
    ['a window', grouped(past, { local_window_size: 2 })],
    ['positions in halves', grouped(past, { do_rotary: 1 }, tables)],
    ['positions interleaved', grouped(past, { do_rotary: 1, rotary_interleaved: 1 }, tables)],
    ['a bias', grouped(past, {}, [null, null, null, { shape: [1, N, S, past + S] }])],
  ];
  test.each(cases)('%s', async (_, given) => {
    await expectSame(given);
  });
});

test('com.microsoft.GroupQueryAttention with all in one input', async () => {
  const given = grouped(0);
  const inputs = [{ shape: [2, S, (N + 2 * G) * D] }, null, null, ...given.inputs.slice(3)];
  await expectSame({ ...given, inputs });
});
