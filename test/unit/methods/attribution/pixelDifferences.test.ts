import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { feedsOf } from '../../../../server/src/cli/modelAndFeeds';
import { EngineHost } from '../../../../server/src/engine/engineHost';
import { writeNpy } from '../../../../server/src/image/npy';
import { describeModel } from '../../../../server/src/workspace/describeModel';
import references from '../../../fixtures/methods/pixelSlopes.json';
import { bundleEngine, type EngineBundle } from '../../engine/bundle';

const sample = path.resolve(import.meta.dirname, '../../../../samples/shapes');
/** Share of the largest slope: rounding of float32 sums over the layers; the differences themselves are exact to about 1e-9. */
const TOLERANCE = 1e-4;
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

  it('equals central differences of the score at 20 pixels', async () => {
    const { description } = await describeModel(path.join(sample, 'models/shapes_cnn.onnx'), []);
    const count = references.shape.reduce((product, size) => product * size, 1);
    const data = Float32Array.from(
      { length: count },
      (_, i) => Math.sin(0.37 * i) + 0.5 * Math.cos(1.7 * i),
    );
    const file = path.join(folder, 'input.npy');
    writeFileSync(file, writeNpy({ dtype: 'float32', shape: references.shape, data }).bytes);
    const { attribution } = await host.call('explain', {
      model: description.path,
      feeds: feedsOf(description, [file]),
      method: 'gradient',
      layers: [],
      target: { kind: 'class', index: STAR },
      want: 'full',
    });
    const most = Math.max(...references.slopes.map(([, slope = 0]) => Math.abs(slope)));
    expect(references.slopes).toHaveLength(20);
    for (const [pixel = 0, slope = 0] of references.slopes)
      expect(Math.abs((attribution[pixel] ?? NaN) - slope) / most).toBeLessThan(TOLERANCE);
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
