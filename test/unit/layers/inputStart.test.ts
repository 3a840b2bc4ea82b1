import path from 'node:path';
import * as ort from 'onnxruntime-node';
import { describe, expect, it } from 'vitest';
import { inputStart } from '../../../server/src/onnx/inputStart';
import { inputFacts, outputFacts } from '../../../server/src/onnx/modelInterface';
import { describeShared } from '../../shared';
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
    const [input] = from.model.graph.inputs;
    if (input === undefined) throw new Error('no input');
    expect(inputFacts(from.model.graph, from.shapes, input, from.constant)).toMatchObject({
      picture: true,
      layout: 'NHWC',
      channels: 3,
      height: 16,
      width: 20,
    });
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

describeShared('inputs and outputs of models made by others', dir => {
  const facts = (name: string) => {
    const from = opened(path.join(dir, 'models', `${name}.onnx`));
    const { graph } = from.model;
    const inputs = graph.inputs.map(input => inputFacts(graph, from.shapes, input, from.constant));
    const outputs = graph.outputs.map(output => outputFacts(graph, from.shapes, output, inputs));
    from.close();
    return { inputs, outputs };
  };

  it.each([
    ['squeezenet_fp16', 'NCHW', 3],
    ['mobilenetv2-12-int8', 'NCHW', 3],
    ['mnist_cntk_opset8', 'NCHW', 1],
    ['vit_cifar10_pgd_2_3_16', 'NCHW', 3],
    ['ch_PP-OCRv4_det_infer', 'NCHW', 3],
    ['ultraface_rfb320', 'NCHW', 3],
    ['yunet_n_dynamic', 'NCHW', 3],
    ['fastestdet', 'NCHW', 3],
    ['super_resolution', 'NCHW', 1],
    ['deeplab_v3', 'NHWC', 3],
    ['light_densenet121', 'NCHW', 3],
  ])('%s takes a picture', (name, layout, channels) => {
    expect(facts(name).inputs[0]).toMatchObject({ picture: true, layout, channels });
  });

  it.each([
    'magika_v3_3',
    'silero_vad_v5',
    'openwakeword_embedding',
    'ndm_gru',
    'tiny_random_gpt2_past',
    'ort_tfbert_qa',
    'ort_attention_mha',
    'ort_mha_cross',
    'burn_attention_4d',
    'lr_mnist_scikit',
  ])('%s takes none', name => {
    expect(facts(name).inputs.filter(input => input.picture)).toEqual([]);
  });

  it('tells a picture from its mask', () => {
    expect(facts('lstr_360x640').inputs.map(input => [input.name, input.picture])).toEqual([
      ['input_rgb', true],
      ['input_mask', false],
    ]);
  });

  it.each([
    ['squeezenet_fp16', { kind: 'classification', axis: 1, classes: 1000 }, 'softmax'],
    ['mobilenetv2-12-int8', { kind: 'classification', axis: 1, classes: 1000 }, null],
    ['mnist_burn_pytorch', { kind: 'classification', axis: 1, classes: 10 }, 'log-softmax'],
    ['deeplab_v3', { kind: 'segmentation', axis: 3, classes: 21 }, null],
    ['ch_PP-OCRv4_rec_infer', { kind: 'sequence', axis: 2, classes: 6625 }, 'softmax'],
    ['fastestdet', null, null],
    ['super_resolution', null, null],
  ])('%s has its classes where they are', (name, classAxis, activation) => {
    expect(facts(name).outputs[0]).toMatchObject({ classAxis, activation });
  });
});
