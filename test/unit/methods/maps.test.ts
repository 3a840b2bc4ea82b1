import { describe, expect, it } from 'vitest';
import { activationHeatmap } from '../../../server/src/methods/activationHeatmap';
import { channel } from '../../../server/src/methods/channel';
import { featureMaps } from '../../../server/src/methods/featureMaps';
import { featureMapTiles } from '../../../server/src/methods/featureMapTiles';
import { hoverPictures } from '../../../server/src/methods/hoverPictures';
import { layerStrengths } from '../../../server/src/methods/layerStrengths';
import { predict } from '../../../server/src/methods/predict';
import { probe } from '../../../server/src/methods/probe';
import { renderGrid } from '../../../server/src/methods/renderGrid';
import { elementCount, type Tensor } from '../../../server/src/onnx/tensor';
import { seededFloats, type ModelInput } from '../../bench/onnxWriter';
import { modelContext } from './modelContext';

const floats = (seed: number, shape: readonly number[]): Tensor => ({
  dtype: 'float32',
  shape,
  data: seededFloats(seed, elementCount(shape), 1),
});

/** conv 3→6 (stride 2) → relu → global pool → flatten → 5 logits. */
const CNN: ModelInput = {
  nodes: [
    {
      op: 'Conv',
      name: 'conv',
      inputs: ['x', 'w'],
      outputs: ['c'],
      attributes: { strides: [2, 2], pads: [1, 1, 1, 1] },
    },
    { op: 'Relu', name: 'relu', inputs: ['c'], outputs: ['r'] },
    { op: 'GlobalAveragePool', name: 'pool', inputs: ['r'], outputs: ['p'] },
    { op: 'Flatten', name: 'flatten', inputs: ['p'], outputs: ['f'] },
    { op: 'MatMul', name: 'head', inputs: ['f', 'h'], outputs: ['logits'] },
  ],
  inputs: [{ name: 'x', shape: [1, 3, 12, 16] }],
  outputs: [{ name: 'logits', shape: [1, 5] }],
  initializers: [
    { name: 'w', shape: [6, 3, 3, 3], data: seededFloats(1, 162, 1) },
    { name: 'h', shape: [6, 5], data: seededFloats(2, 30, 1) },
  ],
};

/** A patch embedding of 4×6 patches, flattened, transposed to tokens, a class token in front, as exporters write it. */
const VIT: ModelInput = {
  nodes: [
    {
      op: 'Conv',
      name: 'patches',
      inputs: ['x', 'w'],
      outputs: ['c'],
      attributes: { strides: [2, 2] },
    },
    { op: 'Reshape', name: 'reshape', inputs: ['c', 'shape'], outputs: ['flat'] },
    {
      op: 'Transpose',
      name: 'transpose',
      inputs: ['flat'],
      outputs: ['tokens'],
      attributes: { perm: [0, 2, 1] },
    },
    {
      op: 'Concat',
      name: 'concat',
      inputs: ['class', 'tokens'],
      outputs: ['all'],
      attributes: { axis: 1 },
    },
    { op: 'MatMul', name: 'block', inputs: ['all', 'm'], outputs: ['y'] },
  ],
  inputs: [{ name: 'x', shape: ['batch', 3, 'height', 'width'] }],
  outputs: [{ name: 'y', shape: null }],
  initializers: [
    { name: 'w', shape: [8, 3, 2, 2], data: seededFloats(1, 96, 1) },
    {
      name: 'shape',
      shape: [3],
      type: 'int64',
      data: new Uint8Array(BigInt64Array.of(1n, 8n, 24n).buffer),
    },
    { name: 'class', shape: [1, 1, 8], data: seededFloats(3, 8, 1) },
    { name: 'm', shape: [8, 8], data: seededFloats(4, 64, 1) },
  ],
};

/** tf2onnx: a channels-last input, transposed in front of the convolution and back behind it. */
const NHWC: ModelInput = {
  nodes: [
    {
      op: 'Transpose',
      name: 'in',
      inputs: ['x'],
      outputs: ['t'],
      attributes: { perm: [0, 3, 1, 2] },
    },
    { op: 'Conv', name: 'conv', inputs: ['t', 'w'], outputs: ['c'] },
    {
      op: 'Transpose',
      name: 'out',
      inputs: ['c'],
      outputs: ['o'],
      attributes: { perm: [0, 2, 3, 1] },
    },
    { op: 'Relu', name: 'relu', inputs: ['o'], outputs: ['y'] },
  ],
  inputs: [{ name: 'x', shape: [1, 9, 7, 3] }],
  outputs: [{ name: 'y', shape: null }],
  initializers: [{ name: 'w', shape: [4, 3, 3, 3], data: seededFloats(1, 108, 1) }],
};

const cnn = () => modelContext(CNN, { x: floats(9, [1, 3, 12, 16]) });
const vit = () => modelContext(VIT, { x: floats(9, [1, 3, 8, 12]) });
const nhwc = () => modelContext(NHWC, { x: floats(9, [1, 9, 7, 3]) });
const at = (layer: string) => ({ model: '', feeds: {}, layer });

describe('feature maps', () => {
  it('are exactly what the run gives, channel by channel', async () => {
    const context = cnn();
    const run = (await context.values({}, ['r'])).tensors.get('r');
    const maps = await featureMaps.compute(at('relu'), context);
    expect(maps).toMatchObject({
      tensor: 'r',
      layout: 'NCHW',
      channels: 6,
      rows: 6,
      columns: 8,
      shape: [1, 6, 6, 8],
    });
    for (let index = 0; index < 6; index++) {
      const one = await channel.compute({ ...at('relu'), channel: index }, context);
      expect([...one.values]).toEqual([...(run?.data ?? [])].slice(index * 48, (index + 1) * 48));
    }
  });

  it('know the grid of tokens from the convolution in front of them', async () => {
    const context = vit();
    const maps = await featureMaps.compute(at('block'), context);
    expect(maps).toMatchObject({
      layout: 'tokens',
      channels: 8,
      rows: 4,
      columns: 6,
      prefixTokens: 1,
    });
    const run = (await context.values({}, ['y'])).tensors.get('y');
    const one = await channel.compute({ ...at('block'), channel: 5 }, context);
    expect(one.values[6 + 2]).toBe(run?.data[(1 + 6 + 2) * 8 + 5]);
    expect(await featureMaps.compute(at('reshape'), context)).toMatchObject({
      layout: 'NCHW',
      channels: 8,
      rows: 4,
      columns: 6,
    });
  });

  it('follow channels-last models through their transposes', async () => {
    const context = nhwc();
    expect(await featureMaps.compute(at('conv'), context)).toMatchObject({
      layout: 'NCHW',
      channels: 4,
      rows: 7,
      columns: 5,
    });
    expect(await featureMaps.compute(at('relu'), context)).toMatchObject({
      layout: 'NHWC',
      channels: 4,
      rows: 7,
      columns: 5,
    });
    expect(await featureMaps.compute({ ...at('in'), tensor: 'x' }, context)).toMatchObject({
      layout: 'NHWC',
      channels: 3,
    });
  });

  it('show vectors as bars', async () => {
    expect(await featureMaps.compute(at('pool'), cnn())).toMatchObject({
      layout: 'vector',
      channels: 1,
      rows: 1,
      columns: 6,
    });
    expect(await featureMaps.compute(at('head'), cnn())).toMatchObject({
      layout: 'vector',
      columns: 5,
      geometry: null,
    });
  });

  it('come as tiles within half a level of their own range', async () => {
    const context = cnn();
    const tiles = await featureMapTiles.compute(
      { ...at('conv'), channels: [4, 1], pixels: 64 },
      context,
    );
    expect(tiles).toMatchObject({ rows: 6, columns: 8, channels: [4, 1] });
    const one = await channel.compute({ ...at('conv'), channel: 1 }, context);
    const [low = NaN, high = NaN] = tiles.ranges.slice(2);
    one.values.forEach((value, i) => {
      const shown = low + ((tiles.values[48 + i] ?? NaN) / 255) * (high - low);
      expect(Math.abs(shown - value)).toBeLessThanOrEqual((high - low) / 510 + 1e-6);
    });
    const small = await featureMapTiles.compute(
      { ...at('conv'), channels: [0], pixels: 4 },
      context,
    );
    expect(small).toMatchObject({ rows: 3, columns: 4 });
    await expect(
      featureMapTiles.compute({ ...at('conv'), channels: [6], pixels: 4 }, context),
    ).rejects.toMatchObject({ code: 'outOfRange' });
  });

  it('answer for a position with values and what it sees', async () => {
    const context = cnn();
    const result = await probe.compute(
      { ...at('relu'), row: 2, column: 3, channels: [5, 0] },
      context,
    );
    const run = (await context.values({}, ['r'])).tensors.get('r');
    expect([...result.values]).toEqual([run?.data[5 * 48 + 19], run?.data[19]]);
    // stride 2, pad 1, kernel 3: rows 2·2−1 … +2
    expect(result.receptiveField).toEqual({ left: 5, top: 3, width: 3, height: 3 });
  });
});

describe('summaries of a run', () => {
  it('average magnitudes over the channels', async () => {
    const context = cnn();
    const heat = await activationHeatmap.compute(at('conv'), context);
    const data = [...((await context.values({}, ['c'])).tensors.get('c')?.data ?? [])].map(Number);
    heat.values.forEach((value, position) => {
      const magnitudes = [0, 1, 2, 3, 4, 5].map(c => Math.abs(data[c * 48 + position] ?? NaN));
      expect(value).toBeCloseTo(magnitudes.reduce((a, b) => a + b) / 6, 6);
    });
    expect(heat).toMatchObject({
      rows: 6,
      columns: 8,
      minimum: Math.min(...heat.values),
      maximum: Math.max(...heat.values),
    });
    expect(await activationHeatmap.compute(at('head'), context)).toMatchObject({
      rows: 1,
      columns: 1,
      geometry: null,
    });
  });

  it('relate each layer to the strongest of its kind', async () => {
    const { layers, strengths } = await layerStrengths.compute({ model: '', feeds: {} }, cnn());
    expect(layers).toEqual(['conv', 'relu', 'pool', 'flatten', 'head']);
    expect(strengths[0]).toBe(1);
    expect(Math.max(...strengths.slice(1))).toBe(1);
    expect(Math.min(...strengths)).toBeGreaterThan(0);
  });

  it('predict the classes of the one output that holds scores', async () => {
    const context = cnn();
    const result = await predict.compute({ model: '', feeds: {}, top: 2 }, context);
    const logits = [
      ...((await context.values({}, ['logits'])).tensors.get('logits')?.data ?? []),
    ].map(Number);
    const total = logits.reduce((sum, logit) => sum + Math.exp(logit), 0);
    const best = logits.indexOf(Math.max(...logits));
    expect(result.classes).toHaveLength(2);
    expect(result.classes?.[0]).toMatchObject({ index: best, score: logits[best] });
    expect(result.classes?.[0]?.probability).toBeCloseTo(Math.exp(logits[best] ?? 0) / total, 6);
    expect((await predict.compute({ model: '', feeds: {}, top: 5 }, nhwc())).classes).toBeNull();
  });
});

describe('pictures', () => {
  const sizeOf = (png: Uint8Array): readonly [number, number] => {
    const view = new DataView(png.buffer, png.byteOffset);
    return [view.getUint32(16), view.getUint32(20)];
  };

  it('fit the hover, with the strongest maps first', async () => {
    const context = cnn();
    const result = await hoverPictures.compute({ ...at('conv'), maximumBytes: 65_000 }, context);
    const { filters, maps } = result;
    expect(filters?.shown).toBe(6);
    expect(maps?.channels).toHaveLength(6);
    expect((filters?.png.length ?? 0) + (maps?.png.length ?? 0)).toBeLessThanOrEqual(65_000);
    expect(sizeOf(filters?.png ?? new Uint8Array(24))).toEqual([filters?.width, filters?.height]);
    const { statistics } = await featureMaps.compute(at('conv'), context);
    const strengths = maps?.channels.map(index => statistics[index * 5 + 4] ?? NaN) ?? [];
    expect(strengths).toEqual([...strengths].sort((a, b) => b - a));
  });

  it('show fewer tiles where the bytes are few, and none where a layer has none', async () => {
    const noisy = modelContext({
      ...CNN,
      initializers: [{ name: 'w', shape: [64, 3, 7, 7], data: seededFloats(1, 64 * 147, 1) }],
    });
    const few = await hoverPictures.compute(
      { ...at('conv'), feeds: null, maximumBytes: 4000 },
      noisy,
    );
    expect(few.filters?.png.length).toBeLessThanOrEqual(4000);
    expect(few.filters?.shown).toBeGreaterThan(3);
    expect(few.filters?.shown).toBeLessThan(64);
    const relu = await hoverPictures.compute({ ...at('relu'), maximumBytes: 65_000 }, cnn());
    expect(relu.filters).toBeNull();
    expect(relu.maps).not.toBeNull();
  });

  it('export grids with what they show in their text', async () => {
    const options = { colorMap: 'viridis', scale: 'shared' } as const;
    const maps = await renderGrid.compute({ ...at('conv'), what: 'maps', ...options }, cnn());
    expect(sizeOf(maps.png)).toEqual([maps.width, maps.height]);
    expect(Buffer.from(maps.png).toString('latin1')).toContain('Colour map');
    const weights = await renderGrid.compute(
      { ...at('conv'), what: 'filters', feeds: null, ...options, colorMap: 'diverging' },
      cnn(),
    );
    expect(sizeOf(weights.png)).toEqual([weights.width, weights.height]);
    await expect(
      renderGrid.compute({ ...at('conv'), what: 'maps', ...options, feeds: null }, cnn()),
    ).rejects.toMatchObject({ code: 'inputNeeded' });
    await expect(
      renderGrid.compute({ ...at('conv'), what: 'maps', ...options, colorMap: 'jet' }, cnn()),
    ).rejects.toMatchObject({ code: 'usage' });
  });
});
