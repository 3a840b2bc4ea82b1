import { describe, expect, it } from 'vitest';
import type { FiltersParams, FiltersResult } from '../../../protocol/methods';
import { drawGrid } from '../../../server/src/image/draw';
import { filters } from '../../../server/src/methods/filters';
import { filterGrid } from '../../../server/src/methods/grids';
import { layerById } from '../../../server/src/methods/layerMaps';
import { layerWeight } from '../../../server/src/methods/layerWeight';
import { weights } from '../../../server/src/methods/weights';
import {
  seededFloats,
  type ModelInput,
  type NodeInput,
  type TensorInput,
} from '../../bench/onnxWriter';
import { modelContext, type ModelContext } from './modelContext';

/** A model of one layer with a weight `w`. */
function oneLayer(op: string, weight: TensorInput, more: Partial<NodeInput> = {}): ModelInput {
  return {
    nodes: [{ op, name: 'layer', inputs: ['x', weight.name], outputs: ['y'], ...more }],
    inputs: [{ name: 'x', shape: [1, 'n'] }],
    outputs: [{ name: 'y', shape: null }],
    initializers: [weight],
  };
}

const numbered = (shape: readonly number[]): Float32Array =>
  Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i);

const compute = (
  context: ModelContext,
  params: Partial<FiltersParams> = {},
): Promise<FiltersResult> =>
  filters.compute({ model: '', layer: 'layer', first: 0, count: 1e9, ...params }, context);

const withWeight = (
  op: string,
  shape: readonly number[],
  more: Partial<NodeInput> = {},
): ModelContext => modelContext(oneLayer(op, { name: 'w', shape, data: numbered(shape) }, more));

describe('filters of a first layer, 64×3×7×7', () => {
  const shape = [64, 3, 7, 7];
  const weight = seededFloats(11, 64 * 147, 0.3);
  const loudest = 17;
  weight[loudest * 147 + 60] = -0.9;
  const context = modelContext(oneLayer('Conv', { name: 'w', shape, data: weight }));

  it('gives the weights themselves as colour tiles', async () => {
    const result = await compute(context);
    expect(result).toMatchObject({
      view: 'rgb',
      planes: 3,
      rows: 7,
      columns: 7,
      filters: 64,
      slices: 3,
    });
    expect(result.values).toEqual(weight);
    expect(result.sharedMaximum).toBe(Math.fround(0.9));
    const page = await compute(context, { first: 60, count: 10 });
    expect(page.values).toEqual(weight.slice(60 * 147));
  });

  it.each(['shared', 'own'] as const)(
    'draws pixels that equal weight · scale within 1/255 (%s scale)',
    scale => {
      const read = layerWeight(context, layerById(context, 'layer'));
      const indices = Array.from({ length: 64 }, (_, i) => i);
      const choice = { indices, pixels: 7, scale, colorMap: 'diverging' as const };
      const raster = drawGrid(filterGrid(read, 'rgb', 0, 0.9, choice, context.signal), {
        across: 8,
        gap: 1,
      });
      const full: number[] = [];
      for (const filter of indices) {
        const values = weight.slice(filter * 147, (filter + 1) * 147);
        const own = values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0);
        const reach = scale === 'own' ? own : 0.9;
        const levels: number[] = [];
        values.forEach((value, i) => {
          const [plane, row, column] = [Math.floor(i / 49), Math.floor((i % 49) / 7), i % 7];
          const x = 1 + (filter % 8) * 8 + column;
          const y = 1 + Math.floor(filter / 8) * 8 + row;
          const pixel = raster.rgba[4 * (y * raster.width + x) + plane] ?? NaN;
          expect(Math.abs(pixel / 255 - (value / reach + 1) / 2)).toBeLessThanOrEqual(1 / 255);
          levels.push(pixel);
        });
        if (Math.min(...levels) === 0 || Math.max(...levels) === 255) full.push(filter);
      }
      expect(full).toEqual(scale === 'own' ? indices : [loudest]);
    },
  );
});

describe('filters of a deep layer, 512×256×3×3', () => {
  const shape = [512, 256, 3, 3];
  const data = seededFloats(12, 512 * 256 * 9, 0.1);
  const context = modelContext(oneLayer('Conv', { name: 'w', shape, data }));

  it('opens within 1 s and twice the memory of the tensor', async () => {
    // Buffers are only given back by a collection, so what was added is at least the peak of what was in use.
    const before = process.memoryUsage().arrayBuffers;
    const started = performance.now();
    const result = await compute(context, { count: 64 });
    const elapsed = performance.now() - started;
    const growth = process.memoryUsage().arrayBuffers - before;
    expect(elapsed).toBeLessThanOrEqual(1000);
    expect(growth).toBeLessThanOrEqual(2 * data.byteLength);
    expect(result.values.length).toBe(64 * 9);
    expect(result.views).toEqual(['slices', 'mean', 'norm', 'component']);
  });

  it('reduces over the input channels as its views say', async () => {
    const weightAt = (filter: number, slice: number, position: number): number =>
      data[(filter * 256 + slice) * 9 + position] ?? NaN;
    const slices = Array.from({ length: 256 }, (_, slice) => slice);
    const [mean, norm, one] = await Promise.all([
      compute(context, { view: 'mean', first: 5, count: 1 }),
      compute(context, { view: 'norm', first: 5, count: 1 }),
      compute(context, { view: 'slices', slice: 200, first: 5, count: 1 }),
    ]);
    for (let position = 0; position < 9; position++) {
      const column = slices.map(slice => weightAt(5, slice, position));
      expect(mean.values[position]).toBeCloseTo(column.reduce((a, b) => a + b) / 256, 7);
      expect(norm.values[position]).toBeCloseTo(Math.hypot(...column), 5);
      expect(one.values[position]).toBe(weightAt(5, 200, position));
    }
  });
});

describe('layers of other kinds', () => {
  it('shows transposed convolutions by output channel', async () => {
    const shape = [6, 2, 3, 3]; // [in, out/groups, …], groups 3: six outputs, two inputs each
    const result = await compute(withWeight('ConvTranspose', shape, { attributes: { group: 3 } }), {
      view: 'slices',
      slice: 1,
    });
    expect(result).toMatchObject({
      filters: 6,
      slices: 2,
      geometry: { transposed: true, groups: 3 },
    });
    // output 5 is channel 1 of group 2, whose inputs are 4 and 5
    expect(result.values[5 * 9]).toBe((5 * 2 + 1) * 9);
  });

  it('shows depthwise, one-axis and three-axis convolutions', async () => {
    const depthwise = await compute(withWeight('Conv', [8, 1, 3, 3], { attributes: { group: 8 } }));
    expect(depthwise).toMatchObject({
      filters: 8,
      slices: 1,
      view: 'slices',
      geometry: { groups: 8 },
    });
    const row = await compute(withWeight('Conv', [4, 2, 5]));
    expect(row).toMatchObject({ rows: 1, columns: 5, slices: 2 });
    const volume = await compute(withWeight('Conv', [2, 1, 2, 3, 4]));
    expect(volume).toMatchObject({ rows: 3, columns: 8 });
    // row 1, slice 1, column 2 of filter 0
    expect(volume.values[8 + 4 + 2]).toBe(12 + 4 + 2);
  });

  it('shows linear units over the map that was flattened', async () => {
    const model: ModelInput = {
      nodes: [
        {
          op: 'MaxPool',
          name: 'pool',
          inputs: ['x'],
          outputs: ['p'],
          attributes: { kernel_shape: [2, 2], strides: [2, 2] },
        },
        { op: 'Flatten', name: 'flatten', inputs: ['p'], outputs: ['f'] },
        { op: 'MatMul', name: 'layer', inputs: ['f', 'w'], outputs: ['y'] },
      ],
      inputs: [{ name: 'x', shape: [1, 4, 6, 4] }],
      outputs: [{ name: 'y', shape: null }],
      initializers: [{ name: 'w', shape: [24, 5], data: numbered([24, 5]) }],
    };
    const context = modelContext(model, {}, { pool: { outputShape: [1, 4, 3, 2] } });
    const result = await compute(context, { view: 'slices', slice: 3, first: 2, count: 1 });
    expect(result).toMatchObject({ filters: 5, slices: 4, rows: 3, columns: 2 });
    expect(result.notes).toContain(
      'The 24 inputs of each unit are the 4 maps of 3×2 in front of the layer.',
    );
    expect(result.values[5]).toBe((3 * 6 + 5) * 5 + 2);
  });

  it('shows other linear units as rectangles or rows and says so', async () => {
    const square = await compute(withWeight('Gemm', [3, 12], { attributes: { transB: 1 } }));
    expect(square).toMatchObject({ filters: 3, rows: 3, columns: 4 });
    expect([...square.values.slice(12, 24)]).toEqual(Array.from({ length: 12 }, (_, i) => 12 + i));
    expect(square.notes[0]).toContain('only to fit');
    const row = await compute(withWeight('Gemm', [3, 13], { attributes: { transB: 1 } }));
    expect(row).toMatchObject({ rows: 1, columns: 13 });
    expect(row.notes[0]).toBe('Each unit is a row of its 13 inputs.');
  });

  it('shows the gates of recurrent layers and embedding tables', async () => {
    const gates = await compute(withWeight('GRU', [1, 6, 4], { attributes: { hidden_size: 2 } }), {
      first: 2,
      count: 1,
    });
    expect(gates).toMatchObject({ filters: 3, rows: 2, columns: 4 });
    expect(gates.notes[0]).toContain('update, reset, hidden');
    expect(gates.values[0]).toBe(16);
    const table = await compute(
      modelContext(
        oneLayer(
          'Gather',
          { name: 'w', shape: [10, 16], data: numbered([10, 16]) },
          { inputs: ['w', 'x'] },
        ),
      ),
    );
    expect(table).toMatchObject({ filters: 10, rows: 4, columns: 4 });
  });

  it('dequantises the weights of integer convolutions per channel', async () => {
    const scalar = (name: string): TensorInput => ({ name, shape: [], data: Float32Array.of(1) });
    const zero = (name: string): TensorInput => ({
      name,
      shape: [],
      type: 'uint8',
      data: Uint8Array.of(0),
    });
    const context = modelContext({
      nodes: [
        {
          op: 'QLinearConv',
          name: 'layer',
          inputs: ['x', 'xs', 'xz', 'w', 'ws', 'wz', 'ys', 'yz'],
          outputs: ['y'],
        },
      ],
      inputs: [{ name: 'x', shape: [1, 1, 4, 4], type: 'uint8' }],
      outputs: [{ name: 'y', shape: null }],
      initializers: [
        scalar('xs'),
        zero('xz'),
        scalar('ys'),
        zero('yz'),
        {
          name: 'w',
          shape: [2, 1, 1, 2],
          type: 'int8',
          data: new Uint8Array(Int8Array.of(10, -10, 4, 0).buffer),
        },
        { name: 'ws', shape: [2], data: Float32Array.of(0.5, 2) },
        { name: 'wz', shape: [2], type: 'int8', data: Uint8Array.of(0, 0) },
      ],
    });
    const result = await compute(context);
    expect([...result.values]).toEqual([5, -5, 8, 0]);
    expect(result.dtype).toBe('int8');
    expect(result.notes[0]).toContain('Dequantised from int8');
  });

  it('dequantises the transposed weights of QGemm per unit', async () => {
    const byte = (name: string, shape: readonly number[], ...values: number[]): TensorInput => ({
      name,
      shape,
      type: 'int8',
      data: new Uint8Array(Int8Array.from(values).buffer),
    });
    const one = (name: string): TensorInput => ({ name, shape: [], data: Float32Array.of(1) });
    const context = modelContext({
      nodes: [
        {
          op: 'QGemm',
          name: 'layer',
          domain: 'com.microsoft',
          inputs: ['x', 'xs', 'xz', 'w', 'ws', 'wz'],
          outputs: ['y'],
          attributes: { transB: 1 },
        },
      ],
      inputs: [{ name: 'x', shape: [1, 3], type: 'int8' }],
      outputs: [{ name: 'y', shape: null }],
      initializers: [
        one('xs'),
        byte('xz', [], 0),
        byte('w', [2, 3], 1, 2, 3, 4, 5, 6),
        { name: 'ws', shape: [2], data: Float32Array.of(0.5, 2) },
        byte('wz', [2], 0, 1),
      ],
    });
    const { tensor } = layerWeight(context, layerById(context, 'layer'));
    expect(tensor).toMatchObject({ shape: [2, 3], dtype: 'float32' });
    expect(Array.from(tensor.data, Number)).toEqual([0.5, 1, 1.5, 6, 8, 10]);
  });

  it('gives statistics of every filter, whatever tiles are asked for', async () => {
    const result = await compute(withWeight('Conv', [3, 2, 1, 2]), { first: 1, count: 1 });
    expect(result.values.length).toBe(2);
    // filter 2 holds 8, 9, 10, 11
    expect([...result.statistics.slice(8, 11)]).toEqual([8, 11, 9.5]);
    expect(result.statistics[11]).toBeCloseTo(Math.sqrt(1.25), 6);
  });

  it('gives the weight as it is for export', async () => {
    const { tensor } = await weights.compute(
      { model: '', layer: 'layer' },
      withWeight('Conv', [2, 1, 1, 2]),
    );
    expect(tensor).toMatchObject({ name: 'w', dtype: 'float32', shape: [2, 1, 1, 2] });
    expect(new Float32Array(tensor.bytes.slice().buffer)).toEqual(Float32Array.of(0, 1, 2, 3));
  });

  it('refuses layers without weights and views they do not have', async () => {
    const relu = modelContext({
      ...oneLayer('Relu', { name: 'w', shape: [1], data: Float32Array.of(1) }, { inputs: ['x'] }),
    });
    await expect(compute(relu)).rejects.toMatchObject({ code: 'noWeights' });
    const conv = withWeight('Conv', [2, 4, 3, 3]);
    await expect(compute(conv, { view: 'rgb' })).rejects.toThrow(
      'choose slices, mean, norm, component',
    );
    await expect(compute(conv, { view: 'slices', slice: 4 })).rejects.toMatchObject({
      code: 'outOfRange',
    });
  });
});
