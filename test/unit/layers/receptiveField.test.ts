import path from 'node:path';
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import type { ReceptiveField } from '../../../protocol/methods';
import {
  receptiveField,
  type PictureInput,
  type TensorField,
} from '../../../server/src/onnx/receptiveField';
import { describeShared } from '../../shared';
import { fixture, opened, type Opened, random, valuesOf } from './opened';

const NCHW = { rows: 2, columns: 3 };
const NHWC = { rows: 1, columns: 2 };

const fieldOf = (from: Opened, tensor: string, input: PictureInput): TensorField | null =>
  receptiveField(from.model.graph, from.shapes, tensor, input, {
    version: from.model.opsets.get('') ?? 1,
    constant: from.constant,
  });

/** A picture of noise, and copies of it with other noise in some of its pixels. */
class Noise {
  private readonly base: Float32Array;
  constructor(
    private readonly shape: readonly number[],
    private readonly axes: { readonly rows: number; readonly columns: number },
  ) {
    const next = random(11);
    this.base = Float32Array.from(
      { length: shape.reduce((a, b) => a * b, 1) },
      () => 6 * next() - 3,
    );
  }
  changed(inside: (row: number, column: number) => boolean, seed: number): Float32Array {
    const next = random(seed);
    const after = (axis: number) => this.shape.slice(axis + 1).reduce((a, b) => a * b, 1);
    const { rows, columns } = this.axes;
    return this.base.map((value, index) => {
      const row = Math.floor(index / after(rows)) % (this.shape[rows] ?? 1);
      const column = Math.floor(index / after(columns)) % (this.shape[columns] ?? 1);
      return inside(row, column) ? 6 * next() - 3 : value;
    });
  }
}

const contains = (box: ReceptiveField, row: number, column: number): boolean =>
  row >= box.top &&
  row < box.top + box.height &&
  column >= box.left &&
  column < box.left + box.width;

/** All channels of the tensor at one position. */
function channelsAt(
  values: Float32Array,
  shape: readonly number[],
  axes: { rows: number; columns: number },
  row: number,
  column: number,
): number[] {
  const strides = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  const fixed = (index: number, axis: number) =>
    Math.floor(index / (strides[axis] ?? 1)) % (shape[axis] ?? 1);
  return Array.from(values).filter(
    (_, index) => fixed(index, axes.rows) === row && fixed(index, axes.columns) === column,
  );
}

/**
 * Changes pixels and looks: nothing outside of the box may move the position by a bit, and the first and last row and column of the box
 * (where they lie on the picture) must move it, for one of several noises. Positions: in the middle and, with `corners`, the first and the last.
 */
async function check(
  from: Opened,
  input: PictureInput,
  shape: readonly number[],
  tensor: string,
  corners = true,
): Promise<void> {
  const field = fieldOf(from, tensor, input);
  if (field === null) throw new Error(`${tensor} has no field`);
  const session = await from.session([tensor]);
  const out = (from.shapes.get(tensor)?.shape ?? []).filter(length => typeof length === 'number');
  const noise = new Noise(shape, input);
  const look = async (
    inside: (row: number, column: number) => boolean,
    seed: number,
    row: number,
    column: number,
  ) => {
    const feeds = {
      [input.name]: new ort.Tensor('float32', noise.changed(inside, seed), [...shape]),
    };
    return channelsAt(await valuesOf(session, feeds, tensor), out, field.axes, row, column);
  };
  const [rows, columns] = [out[field.axes.rows] ?? 1, out[field.axes.columns] ?? 1];
  const [height, width] = [shape[input.rows] ?? 0, shape[input.columns] ?? 0];
  const inner = [[Math.floor(rows / 2), Math.floor(columns / 3)]] as const;
  const outer = [
    [0, 0],
    [rows - 1, columns - 1],
  ] as const;
  for (const [row, column] of corners ? [...inner, ...outer] : inner) {
    const box = field.fieldOf(row, column);
    if (box === null) throw new Error('no box');
    const plain = await look(() => false, 0, row, column);
    expect(
      await look((y, x) => !contains(box, y, x), 5, row, column),
      `outside of ${JSON.stringify(box)}`,
    ).toEqual(plain);
    const edges = [
      {
        at: box.top,
        size: height,
        hit: (y: number, x: number) => y === box.top && contains(box, y, x),
      },
      {
        at: box.top + box.height - 1,
        size: height,
        hit: (y: number, x: number) => y === box.top + box.height - 1 && contains(box, y, x),
      },
      {
        at: box.left,
        size: width,
        hit: (y: number, x: number) => x === box.left && contains(box, y, x),
      },
      {
        at: box.left + box.width - 1,
        size: width,
        hit: (y: number, x: number) => x === box.left + box.width - 1 && contains(box, y, x),
      },
    ];
    for (const edge of edges.filter(({ at, size }) => at >= 0 && at < size)) {
      let moved = false;
      for (let seed = 20; seed < 28 && !moved; seed++)
        moved = (await look(edge.hit, seed, row, column)).some(
          (value, index) => value !== plain[index],
        );
      expect(
        moved,
        `${tensor} (${row}, ${column}): edge ${edge.at} of ${JSON.stringify(box)}`,
      ).toBe(true);
    }
  }
  await session.release();
}

describe('receptive fields against runs with changed pixels', () => {
  const fields = opened(fixture('fields.onnx'));
  const input = { name: 'input', ...NCHW };
  const outputOf = (op: string, which = 0) =>
    fields.layers.filter(layer => layer.op === op)[which]?.outputs[0] ?? '';

  it.each([
    ['Conv', 0],
    ['Conv', 1],
    ['Conv', 2],
    ['Concat', 0],
    ['Add', 0],
    ['AveragePool', 0],
    ['Resize', 0],
    ['ConvTranspose', 0],
    ['Add', 1],
    ['DepthToSpace', 0],
    ['Conv', 3],
    ['Slice', 3],
    ['Transpose', 0],
    ['Conv', 4],
  ] as const)('%s %i', async (op, which) => {
    // the corners behind the Pad see nothing but padding
    await check(fields, input, [1, 3, 41, 52], outputOf(op, which), op !== 'DepthToSpace');
  });

  it('follows axes through a Transpose', () => {
    expect(fieldOf(fields, outputOf('Transpose'), input)?.axes).toEqual({ rows: 3, columns: 2 });
  });

  it('has the closed form of two convolutions', () => {
    // 5×5 stride 2 padding 1, then 3×3 dilation 2 padding 2: 5 + 2 · 4 pixels, 2 apart, from −1 − 2 · 2
    const expected = { size: 13, stride: 2, offset: -5 };
    expect(fieldOf(fields, outputOf('Conv', 1), input)).toMatchObject({
      rows: expected,
      columns: expected,
    });
  });

  it('is null behind a global mean', () => {
    expect(fieldOf(fields, outputOf('Gemm'), input)).toBeNull();
    expect(fieldOf(fields, outputOf('ReduceMean'), input)).toBeNull();
    expect(fieldOf(fields, 'no such tensor', input)).toBeNull();
  });

  it('has the known field of ResNet-18', async () => {
    const resnet = opened(fixture('resnet18_torchscript.onnx'));
    const of = (name: string) =>
      fieldOf(resnet, resnet.layers.find(layer => layer.name === name)?.outputs[0] ?? '', {
        name: 'input',
        ...NCHW,
      });
    // Araujo, Norris, Sim 2019 and torchvision's layout: 435 pixels at layer4, 7 at conv1, 11 behind the pooling
    expect(of('/conv1/Conv')?.rows).toEqual({ size: 7, stride: 2, offset: -3 });
    expect(of('/maxpool/MaxPool')?.rows).toEqual({ size: 11, stride: 4, offset: -5 });
    expect(of('/layer4/layer4.1/relu_1/Relu')?.rows).toMatchObject({ size: 435, stride: 32 });
    await check(
      resnet,
      { name: 'input', ...NCHW },
      [1, 3, 64, 64],
      resnet.layers.find(layer => layer.name === '/layer1/layer1.0/Add')?.outputs[0] ?? '',
    );
    resnet.close();
  });
});

describeShared('receptive fields of models made by others', dir => {
  const model = (name: string) => opened(path.join(dir, 'models', `${name}.onnx`));
  const nth = (from: Opened, op: string, which: number) =>
    from.layers.filter(layer => layer.op === op)[which]?.outputs[0] ?? '';

  it('ultraface', async () => {
    const ultraface = model('ultraface_rfb320');
    const input = { name: 'input', ...NCHW };
    for (const which of [0, 4, 8])
      await check(ultraface, input, [1, 3, 240, 320], nth(ultraface, 'Conv', which));
    ultraface.close();
  });

  it('fastestdet: channel shuffles', async () => {
    const detector = model('fastestdet');
    const input = { name: 'input.1', ...NCHW };
    for (const which of [1, 6])
      await check(detector, input, [1, 3, 352, 352], nth(detector, 'Conv', which));
    await check(detector, input, [1, 3, 352, 352], nth(detector, 'Reshape', 1));
    detector.close();
  });

  it('deeplab: channels last outside, first inside', async () => {
    const deeplab = model('deeplab_v3');
    const input = { name: 'sub_7', ...NHWC };
    for (const which of [0, 3])
      await check(deeplab, input, [1, 257, 257, 3], nth(deeplab, 'Conv', which));
    // the branch with a pooled picture sees everything
    expect(fieldOf(deeplab, 'ResizeBilinear_3', input)).toBeNull();
    deeplab.close();
  });
});
