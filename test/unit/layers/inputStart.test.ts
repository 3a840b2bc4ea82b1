import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { inputStart } from '../../../server/src/onnx/inputStart';
import { fixture, opened, type Opened, random, valuesOf } from './opened';

const start = (from: Opened, input = 'image') =>
  inputStart(from.model.graph, from.shapes, input, from.constant);

/** (x − mean) / std of the start, computed here, against what the graph's own first nodes give. */
async function expectPrepared(from: Opened, fed: ort.Tensor, channelsLast: boolean): Promise<void> {
  const { mean, std, steps } = start(from);
  const session = await from.session(['prepared']);
  const prepared = await valuesOf(session, { image: fed }, 'prepared');
  await session.release();
  const order = steps.find(step => step.kind === 'channels')?.order ?? [0, 1, 2];
  const pixels = prepared.length / 3;
  const expected = Float32Array.from({ length: prepared.length }, (_, index) => {
    const channel = Math.floor(index / pixels);
    const pixel = index % pixels;
    const from = order[channel] ?? 0;
    const value = Number(fed.data[channelsLast ? pixel * 3 + from : from * pixels + pixel]);
    return (value - (mean?.[channel % mean.length] ?? NaN)) / (std?.[channel % std.length] ?? NaN);
  });
  // float32 arithmetic in another order
  prepared.forEach((value, index) =>
    expect(Math.abs(value - (expected[index] ?? NaN))).toBeLessThan(
      2e-6 * Math.max(1, Math.abs(value)),
    ),
  );
}

describe('what a graph does to its input first', () => {
  const next = random(5);
  const floats = (length: number) => Float32Array.from({ length }, () => 255 * next());

  it('finds Cast, Transpose, Sub and Div', async () => {
    const from = opened(fixture('start_uint8_nhwc.onnx'));
    const found = start(from);
    expect(found.steps.map(step => step.kind)).toEqual([
      'cast',
      'transpose',
      'arithmetic',
      'arithmetic',
    ]);
    expect(found).toMatchObject({
      normalises: true,
      castFrom: 'uint8',
      transposes: [0, 3, 1, 2],
      scale: null,
    });
    expect(found.firstNodes.map(node => node.op)).toEqual(['Conv']);
    found.mean?.forEach((value, channel) =>
      expect(value).toBeCloseTo([123.675, 116.28, 103.53][channel] ?? NaN, 4),
    );
    found.std?.forEach((value, channel) =>
      expect(value).toBeCloseTo([58.395, 57.12, 57.375][channel] ?? NaN, 4),
    );
    const bytes = Uint8Array.from(floats(16 * 20 * 3));
    await expectPrepared(from, new ort.Tensor('uint8', bytes, [1, 16, 20, 3]), true);
    from.close();
  });

  it('finds channels that are taken apart, scaled and put together in another order', async () => {
    const from = opened(fixture('start_channels.onnx'));
    const found = start(from);
    expect(found.steps.find(step => step.kind === 'channels')).toMatchObject({ order: [2, 1, 0] });
    expect(found.normalises).toBe(true);
    await expectPrepared(
      from,
      new ort.Tensor('float32', floats(3 * 16 * 20), [1, 3, 16, 20]),
      false,
    );
    from.close();
  });

  it('finds a factor and a BatchNormalization', async () => {
    const from = opened(fixture('start_batch_norm.onnx'));
    expect(start(from).steps.map(step => step.kind)).toEqual(['arithmetic', 'batchNormalization']);
    await expectPrepared(from, new ort.Tensor('float32', floats(3 * 9 * 7), [1, 3, 9, 7]), false);
    from.close();
  });

  it('finds nothing where the first node is a layer', () => {
    const from = opened(fixture('resnet18_dynamo.onnx'));
    expect(start(from, 'input')).toMatchObject({
      steps: [],
      normalises: false,
      mean: null,
      std: null,
      castFrom: null,
    });
    from.close();
  });
});
