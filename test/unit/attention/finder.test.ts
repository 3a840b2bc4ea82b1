import { describe, expect, test } from 'vitest';
import { describeModel } from '../../../server/src/workspace/describeModel';
import { fixture, patterns } from './fixtures';

describe('attention is found in the file', () => {
  test.each(patterns)('$name', async ({ model, blocks, lookalikes }) => {
    const { description } = await describeModel(fixture(model), []);
    expect(
      description.attention.map(({ heads, keyHeads, kind, causal }) => ({
        ...{ heads, keyHeads, kind, causal },
      })),
    ).toEqual(
      blocks.map(({ heads, keyHeads, kind, causal }) => ({ heads, keyHeads, kind, causal })),
    );
    expect(description.attentionLookalikes.map(({ kind }) => kind)).toEqual(lookalikes);
  });

  test('with its scale, mask and tokens', async () => {
    const { description } = await describeModel(fixture('fedMask.onnx'), []);
    expect(description.attention).toMatchObject([{ queries: 7, keys: 7, grid: null }]);
    expect(description.attention[0]?.masks).toHaveLength(1);
    const scaled = await describeModel(fixture('scaledBoth.onnx'), []);
    expect(scaled.description.attention[0]?.scale).toBeCloseTo(0.5, 6);
    expect(scaled.description.attention[0]?.masks).toEqual([]);
  });

  test('with the grid of the patches and the tokens in front of it', async () => {
    const { description } = await describeModel(fixture('smallVit.onnx'), []);
    const grid = { rows: 3, columns: 2, prefixTokens: 2 };
    expect(description.attention).toMatchObject([
      { heads: 2, queries: 8, keys: 8, grid },
      { heads: 2, queries: 8, keys: 8, grid },
    ]);
  });

  test('with probabilities that a layer gives, or none where an operator hides them', async () => {
    const { description } = await describeModel(fixture('scaledBoth.onnx'), []);
    const [block] = description.attention;
    const layer = description.layers.find(({ id }) => id === block?.layer);
    expect(layer).toMatchObject({ op: 'Softmax', outputs: [block?.probabilities] });
    const fused = await describeModel(fixture('fusedCausal.onnx'), []);
    expect(fused.description.attention[0]?.probabilities).toBeNull();
  });
});
