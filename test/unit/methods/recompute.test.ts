import { describe, expect, it } from 'vitest';
import { recompute } from '../../../server/src/methods/recompute';
import type { Tensor } from '../../../server/src/onnx/tensor';
import { elementCount } from '../../../server/src/onnx/tensor';
import {
  seededFloats,
  seededNumbers,
  type ModelInput,
  type NodeInput,
} from '../../bench/onnxWriter';
import { modelContext } from './modelContext';

/** Acceptance row 1. */
const LARGEST_ERROR = 1e-4;

const floats = (seed: number, shape: readonly number[], scale = 1): Tensor => ({
  dtype: 'float32',
  shape,
  data: seededFloats(seed, elementCount(shape), scale),
});

interface ConvCase {
  readonly title: string;
  readonly input: readonly number[];
  readonly weight: readonly number[];
  readonly attributes: NodeInput['attributes'];
}

const CASES: readonly ConvCase[] = [
  {
    title: 'stride 2, pad 1, dilation 2, groups 4',
    input: [1, 8, 23, 19],
    weight: [12, 2, 3, 3],
    attributes: { strides: [2, 2], pads: [1, 1, 1, 1], dilations: [2, 2], group: 4 },
  },
  {
    title: 'stride 2',
    input: [1, 3, 16, 16],
    weight: [4, 3, 3, 3],
    attributes: { strides: [2, 2] },
  },
  { title: 'pad 1', input: [1, 3, 9, 9], weight: [4, 3, 3, 3], attributes: { pads: [1, 1, 1, 1] } },
  {
    title: 'dilation 2',
    input: [1, 3, 14, 14],
    weight: [4, 3, 3, 3],
    attributes: { dilations: [2, 2] },
  },
  { title: 'groups 4', input: [1, 8, 9, 9], weight: [8, 2, 3, 3], attributes: { group: 4 } },
  {
    title: 'a depthwise layer',
    input: [1, 16, 12, 12],
    weight: [16, 1, 5, 5],
    attributes: { group: 16, pads: [2, 2, 2, 2] },
  },
  {
    title: 'uneven padding and strides',
    input: [1, 2, 11, 17],
    weight: [3, 2, 4, 3],
    attributes: { pads: [0, 2, 3, 1], strides: [3, 1] },
  },
  {
    title: 'auto_pad SAME_UPPER',
    input: [1, 3, 10, 15],
    weight: [4, 3, 4, 3],
    attributes: { auto_pad: 'SAME_UPPER', strides: [2, 2] },
  },
  {
    title: 'auto_pad SAME_LOWER',
    input: [1, 3, 10, 15],
    weight: [4, 3, 4, 3],
    attributes: { auto_pad: 'SAME_LOWER', strides: [2, 2] },
  },
  {
    title: 'auto_pad VALID',
    input: [1, 3, 10, 15],
    weight: [4, 3, 4, 3],
    attributes: { auto_pad: 'VALID' },
  },
  {
    title: 'one axis',
    input: [1, 6, 40],
    weight: [9, 2, 5],
    attributes: { group: 3, strides: [2], pads: [2, 2], dilations: [3] },
  },
  {
    title: 'three axes',
    input: [1, 4, 7, 8, 9],
    weight: [6, 2, 3, 3, 3],
    attributes: { group: 2, strides: [2, 1, 2], pads: [1, 1, 1, 1, 1, 1] },
  },
  { title: 'a map of one position', input: [1, 4, 3, 3], weight: [5, 4, 3, 3], attributes: {} },
  { title: 'a batch of two', input: [2, 4, 6, 6], weight: [5, 4, 3, 3], attributes: {} },
];

const convModel = ({ input, weight, attributes }: ConvCase): ModelInput => ({
  nodes: [
    {
      op: 'Conv',
      name: 'conv',
      inputs: ['x', 'w', 'b'],
      outputs: ['y'],
      ...(attributes ? { attributes } : {}),
    },
  ],
  inputs: [{ name: 'x', shape: input }],
  outputs: [{ name: 'y', shape: null }],
  initializers: [
    { name: 'w', shape: weight, data: seededFloats(1, elementCount(weight), 1) },
    { name: 'b', shape: [weight[0] ?? 1], data: seededFloats(2, weight[0] ?? 1, 1) },
  ],
});

/** Corners, borders and some seeded positions of maps [channels, rows, columns]. */
function positionsOf(
  channels: number,
  rows: number,
  columns: number,
): readonly (readonly [number, number, number])[] {
  const next = seededNumbers(5);
  const below = (size: number): number => Math.floor(((next() + 1) / 2) * size) % size;
  const corners = [
    [0, 0, 0],
    [channels - 1, rows - 1, columns - 1],
    [0, rows - 1, 0],
    [channels - 1, 0, columns - 1],
  ] as const;
  return [
    ...corners,
    ...Array.from({ length: 20 }, () => [below(channels), below(rows), below(columns)] as const),
  ];
}

describe('recompute', () => {
  it.each(CASES)('agrees with the run for $title', async convCase => {
    const context = modelContext(convModel(convCase), { x: floats(3, convCase.input) });
    const params = { model: '', feeds: {}, layer: 'conv' };
    const shape = (await context.values({}, ['y'])).tensors.get('y')?.shape ?? [];
    const [, channels = 1, ...spatial] = shape;
    const flat = elementCount(spatial) === 1;
    const rows = spatial.length === 1 ? 1 : (spatial.at(-2) ?? 1);
    const columns = elementCount(spatial) / rows;
    const positions = flat ? positionsOf(1, 1, channels) : positionsOf(channels, rows, columns);
    for (const [channel, row, column] of positions) {
      const result = await recompute.compute({ ...params, channel, row, column }, context);
      expect(Math.abs(result.difference)).toBeLessThanOrEqual(LARGEST_ERROR);
      expect(result.shape).toEqual(convCase.weight.slice(1));
      const dot = result.window.reduce(
        (sum, value, i) => sum + value * (result.kernel[i] ?? NaN),
        0,
      );
      expect(Math.abs(dot + result.bias - result.sum)).toBeLessThan(1e-9);
      expect(result.value - result.sum).toBe(result.difference);
    }
  });

  it('agrees with a quantised convolution within half a step of its output', async () => {
    const scale = 0.05;
    const bytes = (seed: number, count: number): Uint8Array =>
      Uint8Array.from(seededFloats(seed, count, 60), value => value + 128);
    const scalar = (name: string, value: number) => ({
      name,
      shape: [],
      data: Float32Array.of(value),
    });
    const zero = (name: string, value: number) => ({
      name,
      shape: [],
      type: 'uint8' as const,
      data: Uint8Array.of(value),
    });
    const context = modelContext(
      {
        nodes: [
          { op: 'QuantizeLinear', name: 'quantize', inputs: ['x', 'xs', 'xz'], outputs: ['xq'] },
          {
            op: 'QLinearConv',
            name: 'conv',
            outputs: ['y'],
            inputs: ['xq', 'xs', 'xz', 'w', 'ws', 'wz', 'ys', 'yz', 'b'],
            attributes: { pads: [1, 1, 1, 1] },
          },
        ],
        inputs: [{ name: 'x', shape: [1, 2, 6, 6] }],
        outputs: [{ name: 'y', shape: null }],
        initializers: [
          scalar('xs', 0.01),
          zero('xz', 128),
          scalar('ws', 0.02),
          zero('wz', 120),
          scalar('ys', scale),
          zero('yz', 128),
          { name: 'w', shape: [4, 2, 3, 3], type: 'uint8', data: bytes(7, 72) },
          {
            name: 'b',
            shape: [4],
            type: 'int32',
            data: new Uint8Array(Int32Array.of(100, -50, 0, 7).buffer),
          },
        ],
      },
      { x: floats(3, [1, 2, 6, 6]) },
    );
    for (const [channel, row, column] of positionsOf(4, 6, 6)) {
      const result = await recompute.compute(
        { model: '', feeds: {}, layer: 'conv', channel, row, column },
        context,
      );
      const inside = Math.abs(result.sum) < scale * 126;
      if (inside)
        expect(Math.abs(result.difference)).toBeLessThanOrEqual(scale / 2 + LARGEST_ERROR);
      expect(result.notes[0]).toContain('steps of 0.0500');
    }
  });

  it('refuses what is no convolution and what is outside', async () => {
    const model = convModel({
      title: '',
      input: [1, 2, 5, 5],
      weight: [3, 2, 3, 3],
      attributes: {},
    });
    const relu: NodeInput = { op: 'Relu', name: 'relu', inputs: ['y'], outputs: ['z'] };
    const context = modelContext(
      { ...model, nodes: [...model.nodes, relu] },
      { x: floats(3, [1, 2, 5, 5]) },
    );
    const at = { model: '', feeds: {}, channel: 0, row: 0, column: 0 };
    await expect(recompute.compute({ ...at, layer: 'relu' }, context)).rejects.toThrow(
      'A position can be recomputed for convolutions; "relu" is a Relu.',
    );
    await expect(recompute.compute({ ...at, layer: 'conv', row: 3 }, context)).rejects.toThrow(
      'is outside',
    );
    await expect(recompute.compute({ ...at, layer: 'conv', channel: 3 }, context)).rejects.toThrow(
      '0 to 2',
    );
    await expect(recompute.compute({ ...at, layer: 'gone' }, context)).rejects.toMatchObject({
      code: 'layerNotFound',
    });
  });
});
