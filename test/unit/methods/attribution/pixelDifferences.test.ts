import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { InputFeed } from '../../../../protocol/methods';
import { tensorOf } from '../../../../server/src/cli/arrayFile';
import { feedsOf } from '../../../../server/src/cli/modelAndFeeds';
import { EngineHost } from '../../../../server/src/engine/engineHost';
import { writeNpy } from '../../../../server/src/image/npy';
import { toFloat32 } from '../../../../server/src/onnx/numbers';
import { describeModel } from '../../../../server/src/workspace/describeModel';
import { random } from '../../gradient/finiteDifferences';
import { bundleEngine, type EngineBundle } from '../../engine/bundle';

const sample = path.resolve(import.meta.dirname, '../../../../samples/shapes');
const PIXELS = 20;
/** Of the fed values; the best of them counts, because a step may cross the kink of a ReLU and a short one drowns in rounding. */
const STEPS = [1e-1, 3e-2, 1e-2];
/**
 * Share of the largest slope. A step crosses the kinks of some of the network's ReLUs, each of which moves the difference by the slope of one path
 * among thousands; shorter steps drown in the rounding of a float32 score. The goldens hold the gradient to 1e-4 in float64.
 */
const TOLERANCE = 1e-2;
const COSINE = 0.9999;
const STAR = 3;

describe('the gradient of the sample network', () => {
  let bundle: EngineBundle;
  let host: EngineHost;
  let folder: string;
  beforeAll(async () => {
    bundle = await bundleEngine('server/src/engine/main.ts');
    const settings = { threads: 1, sessionCacheBytes: 2 ** 28, activationCacheBytes: 2 ** 27 };
    host = new EngineHost({ enginePath: bundle.enginePath, settings, memoryLimitBytes: 0 });
    folder = mkdtempSync(path.join(os.tmpdir(), 'layer-lens-'));
  });
  afterAll(() => {
    host.dispose();
    bundle.dispose();
    rmSync(folder, { recursive: true });
  });

  it(`equals central differences at ${PIXELS} pixels`, async () => {
    const { description } = await describeModel(path.join(sample, 'models/shapes_cnn.onnx'), []);
    const model = description.path;
    const feeds = feedsOf(description, [path.join(sample, 'images/star.png')]);
    const [input = ''] = Object.keys(feeds);
    const feed = feeds[input];
    if (feed?.kind !== 'image') throw new Error('the sample is fed a picture');
    const { path: picture, preprocessing } = feed;
    const { tensor } = await host.call('preprocess', { model, path: picture, preprocessing });
    // flat areas are ties of max pooling, where the slopes of the two sides differ
    const next = random(6);
    const x = toFloat32(tensorOf(tensor)).map(value => value + 0.5 * (next() - 0.5));
    const fed = (values: Float32Array, name: string): Record<string, InputFeed> => {
      const file = path.join(folder, `${name}.npy`);
      const array = { dtype: 'float32', shape: tensor.shape, data: values } as const;
      writeFileSync(file, writeNpy(array).bytes);
      return { [input]: { kind: 'array', path: file } };
    };
    const { attribution } = await host.call('explain', {
      model,
      feeds: fed(x, 'input'),
      method: 'gradient',
      layers: [],
      target: { kind: 'class', index: STAR },
      want: 'full',
    });
    let files = 0;
    const score = async (index: number, step: number): Promise<number> => {
      const moved = Float32Array.from(x);
      moved[index] = (x[index] ?? 0) + step;
      const { tensors } = await host.call('tensors', {
        model,
        feeds: fed(moved, String(files++)),
        tensors: ['logits'],
      });
      const [logits] = tensors;
      return Number(logits && tensorOf(logits).data[STAR]);
    };
    // where the score moves enough for differences of float32 scores to say something
    const places = Array.from(attribution.keys())
      .sort((a, b) => Math.abs(attribution[b] ?? 0) - Math.abs(attribution[a] ?? 0))
      .slice(0, PIXELS);
    const most = Math.max(...places.map(index => Math.abs(attribution[index] ?? 0)));
    const sums = [0, 0, 0];
    for (const index of places) {
      const slope = attribution[index] ?? NaN;
      let nearest = Infinity;
      for (const step of STEPS) {
        const difference = ((await score(index, step)) - (await score(index, -step))) / (2 * step);
        if (Math.abs(difference - slope) < Math.abs(nearest - slope)) nearest = difference;
      }
      const best = Math.abs(nearest - slope);
      expect(best / most).toBeLessThan(TOLERANCE);
      for (const [k, value] of [slope, nearest].entries()) sums[k] = (sums[k] ?? 0) + value * value;
      sums[2] = (sums[2] ?? 0) + slope * nearest;
    }
    const [slopes = 0, differences = 0, both = 0] = sums;
    expect(both / Math.sqrt(slopes * differences)).toBeGreaterThan(COSINE);
  });

  it('keeps the peak of fused layers within half a cell of the finest', async () => {
    const { description } = await describeModel(path.join(sample, 'models/shapes_cnn.onnx'), []);
    const params = {
      model: description.path,
      feeds: feedsOf(description, [path.join(sample, 'images/star.png')]),
      method: 'grad-cam',
      target: { kind: 'class', index: STAR },
      want: 'full',
    } as const;
    const { layersWithGrid } = await host.call('attributionTargets', params);
    const last = layersWithGrid.at(-1) ?? '';
    const peak = ({
      heatmap,
      heatmapShape,
    }: {
      heatmap: Float32Array;
      heatmapShape: readonly number[];
    }) => {
      const columns = heatmapShape[2] ?? 1;
      const at = heatmap.reduce((best, value, i) => (value > (heatmap[best] ?? 0) ? i : best), 0);
      return { row: Math.floor(at / columns), column: at % columns };
    };
    const single = await host.call('explain', { ...params, layers: [last] });
    const before = layersWithGrid.filter(layer => layer.includes('layer3')).slice(-3);
    const fused = await host.call('explain', { ...params, layers: before });
    const cell = (single.heatmapShape[1] ?? 1) / single.rows;
    const [a, b] = [peak(single), peak(fused)];
    expect(Math.abs(a.row - b.row)).toBeLessThanOrEqual(cell / 2);
    expect(Math.abs(a.column - b.column)).toBeLessThanOrEqual(cell / 2);
  });
});
