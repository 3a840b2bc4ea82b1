import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ExplainResult } from '../../../../protocol/attribution';
import type { ModelFeeds } from '../../../../protocol/methods';
import { tensorOf } from '../../../../server/src/cli/arrayFile';
import { feedsOf } from '../../../../server/src/cli/modelAndFeeds';
import { EngineHost } from '../../../../server/src/engine/engineHost';
import { describeModel } from '../../../../server/src/workspace/describeModel';
import { bundleEngine, type EngineBundle } from '../../engine/bundle';

const sample = path.resolve(import.meta.dirname, '../../../../samples/shapes');

/**
 * Rounding of float32 sums over the channels, as a share of the largest Σ|w_c·A_c|: terms of both signs all but cancel behind a LayerNorm, so
 * the map itself is no measure of it. The graph weights in another order than the formula does.
 */
const TOLERANCE = 1e-5;

describe('Grad-CAM of all layers from one run', () => {
  let bundle: EngineBundle;
  let host: EngineHost;
  beforeAll(async () => {
    bundle = await bundleEngine('server/src/engine/main.ts');
    const settings = { threads: 1, sessionCacheBytes: 2 ** 28, activationCacheBytes: 2 ** 27 };
    host = new EngineHost({ enginePath: bundle.enginePath, settings, memoryLimitBytes: 0 });
  });
  afterAll(() => {
    host.dispose();
    bundle.dispose();
  });

  const feedsFor = async (model: string): Promise<{ model: string; feeds: ModelFeeds }> => {
    const { description } = await describeModel(path.join(sample, 'models', model), []);
    const feeds = feedsOf(description, [path.join(sample, 'images', 'star.png')]);
    return { model: description.path, feeds };
  };

  const explain = (
    params: { model: string; feeds: ModelFeeds },
    layer: string,
    ahead: boolean,
  ): Promise<ExplainResult> =>
    host.call('explain', {
      ...params,
      method: 'grad-cam',
      layers: [layer],
      target: { kind: 'class', index: 2 },
      want: 'map',
      ahead,
    });

  /** max over the positions of Σ_c |w_c · A_c|, from the layer's values and its gradient. */
  async function largestTerms(
    params: { model: string; feeds: ModelFeeds },
    layer: string,
    { layers, rows, columns }: ExplainResult,
  ): Promise<number> {
    const gradient = await host.call('explain', {
      ...params,
      method: 'gradient',
      layers: [layer],
      target: { kind: 'class', index: 2 },
      want: 'full',
    });
    const { tensors } = await host.call('tensors', {
      ...params,
      tensors: layers.map(({ tensor }) => tensor),
    });
    const values = tensors[0] ? tensorOf(tensors[0]).data : [];
    const { attribution, attributionShape: shape } = gradient;
    const channelsFirst = shape.length === 4 && shape[2] === rows;
    const channels = (channelsFirst ? shape[1] : shape.at(-1)) ?? 1;
    const tokens = attribution.length / channels;
    const at = (channel: number, position: number): number =>
      channelsFirst ? channel * tokens + position : position * channels + channel;
    const terms = new Float64Array(tokens);
    const prefix = tokens - rows * columns;
    for (let channel = 0; channel < channels; channel++) {
      let weight = 0;
      for (let i = prefix; i < tokens; i++) weight += attribution[at(channel, i)] ?? 0;
      weight /= rows * columns;
      for (let i = prefix; i < tokens; i++)
        terms[i] = (terms[i] ?? 0) + Math.abs(weight * Number(values[at(channel, i)] ?? 0));
    }
    // some gradients vanish (a softmax does not see a shift of its inputs): what is left of them is rounding of terms near 1
    return Math.max(...terms, 1e-4);
  }

  it.each(['shapes_cnn.onnx', 'tiny_vit.onnx', 'tiny_vit_dynamo.onnx'])(
    'equals each layer of %s by itself',
    async name => {
      const params = await feedsFor(name);
      const alone = new Map<string, ExplainResult>();
      const target = { kind: 'class', index: 2 } as const;
      const { layersWithGrid } = await host.call('attributionTargets', params);
      for (const layer of layersWithGrid) alone.set(layer, await explain(params, layer, false));
      const { layers } = await host.call('layerHeatmaps', { ...params, target });
      // flattened maps [B, C, H·W] are explained one by one
      expect(layersWithGrid).toEqual(expect.arrayContaining([...layers]));
      expect(layers.length).toBeGreaterThan(0.9 * layersWithGrid.length);
      for (const layer of layers.filter((_, index) => index % 4 === 0)) {
        const found = await explain(params, layer, true);
        const single = alone.get(layer);
        expect(found.times.forwardMs + found.gradientMs).toBe(0);
        expect([found.rows, found.columns]).toEqual([single?.rows, single?.columns]);
        const most = await largestTerms(params, layer, found);
        const differences = found.map.map((value, i) => Math.abs(value - (single?.map[i] ?? NaN)));
        expect(Math.max(...differences) / most).toBeLessThan(TOLERANCE);
      }
    },
  );

  it('does not take another class for the one that was kept', async () => {
    const params = await feedsFor('shapes_cnn.onnx');
    const { layers } = await host.call('layerHeatmaps', { ...params, target: { kind: 'top' } });
    const other = await explain(params, layers.at(-1) ?? '', true);
    const top = await host.call('explain', {
      ...params,
      method: 'grad-cam',
      layers: layers.slice(-1),
      target: { kind: 'top' },
      want: 'map',
      ahead: true,
    });
    expect(other.target.classIndex).toBe(2);
    expect(top.target.classIndex).not.toBe(2);
    expect(other.map).not.toEqual(top.map);
  });
});
