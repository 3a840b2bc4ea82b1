import { readFileSync } from 'node:fs';
import path from 'node:path';
import * as ort from 'onnxruntime-node';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest';
import type { ModelFeeds, TensorResult } from '../../protocol/methods';
import { tensorOf } from '../../server/src/cli/arrayFile';
import { feedsOf } from '../../server/src/cli/modelAndFeeds';
import { EngineHost } from '../../server/src/engine/engineHost';
import { isReadable } from '../../server/src/methods/outputParts';
import { describeModel } from '../../server/src/workspace/describeModel';
import { describeShared } from '../shared';
import { withOutputs } from '../bench/onnxWriter';
import { buildCli, type BuiltCli } from '../unit/cli/builtCli';

const MODELS = [
  ['squeezenet_fp16.onnx', 'goldfish.jpg'],
  ['mobilenetv2-12-int8.onnx', 'goldfish.jpg'],
  ['mnist_burn_pytorch.onnx', 'digits/digit_3.png'],
  ['vit_cifar10_pgd_2_3_16.onnx', 'kitten_224.png'],
  ['deeplab_v3.onnx', 'astronaut.png'],
  ['ultraface_rfb320.onnx', 'astronaut.png'],
  ['fastestdet.onnx', 'horses.jpg'],
] as const;
/** Layers of one model that are compared, spread over it. */
const COMPARED = 6;

/** Acceptance row 5, against ONNX Runtime called directly on the model's own bytes with the tensor declared as one more output. */
describeShared('values of intermediate tensors', shared => {
  let cli: BuiltCli;
  let host: EngineHost;
  beforeAll(async () => {
    cli = await buildCli();
  });
  afterAll(() => cli.dispose());
  beforeEach(() => {
    const settings = { threads: 1, sessionCacheBytes: 2 ** 28, activationCacheBytes: 2 ** 29 };
    host = new EngineHost({ enginePath: cli.enginePath, settings, memoryLimitBytes: 0 });
  });
  afterEach(() => host.dispose());

  async function open(file: string, picture: string) {
    const model = path.join(shared, 'models', file);
    const { description } = await describeModel(model, []);
    const feeds = feedsOf(description, [path.join(shared, 'images', picture)]);
    const layers = description.layers.filter(isReadable);
    const step = Math.max(1, Math.ceil(layers.length / COMPARED));
    const declared = new Set(description.outputs.map(({ name }) => name));
    const chosen = layers.filter(
      (layer, i) => i % step === 0 && !declared.has(layer.outputs[0] ?? ''),
    );
    expect(chosen.length).toBeGreaterThan(1);
    const fed = await host.call('tensors', {
      model,
      feeds,
      tensors: description.inputs.map(({ name }) => name),
    });
    return { model, feeds, chosen, fed: fed.tensors };
  }

  const outputOf = (layer: { readonly outputs: readonly string[] }): string =>
    layer.outputs[0] ?? '';

  it.each(MODELS)('%s: one tensor at a time', async (file, picture) => {
    const { model, feeds, chosen, fed } = await open(file, picture);
    for (const name of chosen.map(outputOf)) {
      const [direct] = await runDirectly(model, fed, [name]);
      const [ours] = (await host.call('tensors', { model, feeds, tensors: [name] })).tensors;
      expect(ours?.shape).toEqual(direct?.dims);
      expect(largestDifference(ours, direct), name).toBe(0);
    }
  });

  it.each(MODELS)('%s: channels of feature maps', async (file, picture) => {
    const { model, feeds, chosen, fed } = await open(file, picture);
    for (const layer of chosen) {
      const [direct] = await runDirectly(model, fed, [outputOf(layer)]);
      await compareChannels(model, feeds, layer.id, direct);
    }
  });

  async function compareChannels(
    model: string,
    feeds: ModelFeeds,
    layer: string,
    direct: ort.Tensor | undefined,
  ): Promise<void> {
    const maps = await host.call('featureMaps', { model, feeds, layer });
    const values: number[] = [];
    for (const channel of [0, maps.channels - 1]) {
      const one = await host.call('channel', { model, feeds, layer, channel });
      const expected = channelOf(maps, numbersOf(direct?.type, direct?.data), channel);
      const wrong = expected.filter((value, i) => value !== one.values[i]).length;
      expect(wrong, `${layer}, ${maps.layout} [${maps.shape.join()}]`).toBe(0);
      values.push(...one.values);
    }
    expect(values.every(value => Number.isFinite(value))).toBe(true);
  }
});

interface Layout {
  readonly shape: readonly number[];
  readonly layout: string;
  readonly channels: number;
  readonly rows: number;
  readonly columns: number;
  readonly prefixTokens: number;
}

/** One channel of a tensor in C order, cut out by the layout that was reported. */
function channelOf(maps: Layout, data: readonly number[], channel: number): number[] {
  const { shape, layout, channels, rows, columns, prefixTokens } = maps;
  const area = rows * columns;
  const first = layout === 'NCHW' || layout === 'vector' || shape.at(-1) !== channels;
  if (first) return data.slice(channel * area, (channel + 1) * area);
  return Array.from(
    { length: area },
    (_, position) => data[(prefixTokens + position) * channels + channel] ?? NaN,
  );
}

function numbersOf(type: string | undefined, data: unknown): readonly number[] {
  if (data instanceof Float32Array || data instanceof Uint8Array || data instanceof Int8Array)
    return [...data];
  if (type === 'float16' && data instanceof Uint16Array) return Array.from(data, halfValue);
  throw new Error(`the test does not read ${type}`);
}

/** IEEE 754 binary16, by its definition. */
function halfValue(bits: number): number {
  const [exponent, fraction] = [(bits >> 10) & 31, bits & 1023];
  const magnitude =
    exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15);
  return bits >> 15 ? -magnitude : magnitude;
}

async function runDirectly(
  model: string,
  fed: readonly TensorResult[],
  names: readonly string[],
): Promise<readonly ort.Tensor[]> {
  const bytes = withOutputs(readFileSync(model), names);
  const session = await ort.InferenceSession.create(bytes, {
    logSeverityLevel: 3,
    intraOpNumThreads: 1,
  });
  const feeds: Record<string, ort.Tensor> = {};
  for (const tensor of fed) {
    const { data } = tensorOf(tensor);
    if (data instanceof Float32Array)
      feeds[tensor.name] = new ort.Tensor('float32', data, tensor.shape);
    else if (data instanceof Uint16Array)
      feeds[tensor.name] = new ort.Tensor('float16', data, tensor.shape);
  }
  const results = await session.run(feeds, [...names]);
  await session.release();
  return names.flatMap(name => results[name] ?? []);
}

function largestDifference(ours: TensorResult | undefined, direct: ort.Tensor | undefined): number {
  const mine = ours ? numbersOf(ours.dtype, tensorOf(ours).data) : [];
  const theirs = numbersOf(direct?.type, direct?.data);
  expect(mine.length).toBe(theirs.length);
  return mine.reduce(
    (largest, value, i) => Math.max(largest, Math.abs(value - (theirs[i] ?? NaN))),
    0,
  );
}
