import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type {
  AttributionMethod,
  AttributionOptions,
  ExplainResult,
  TargetSpec,
} from '../../../../protocol/attribution';
import {
  seededFloats,
  writeModel,
  type ModelInput,
  type NodeInput,
} from '../../../bench/onnxWriter';
import { floatTensor, LocalEngine } from './localEngine';

const SIDE = 8;
const CHANNELS = 4;

let engine: LocalEngine;
beforeAll(() => {
  engine = new LocalEngine();
});
afterAll(() => engine.dispose());

interface NetworkOptions {
  /** Added to every activation in front of the rectifier. */
  readonly bias?: number;
  /** Weights of the head, [2, CHANNELS]. */
  readonly head?: readonly number[];
  readonly weights?: Float32Array;
  /** Nodes behind `scores`. */
  readonly tail?: readonly NodeInput[];
  readonly output?: string;
}

/** conv → relu → mean over the places → two scores. */
function network({
  bias = 0,
  head = [1, 1, 1, 1, -1, -1, -1, -1],
  weights = seededFloats(5, CHANNELS * 9, 1).map(Math.abs),
  tail = [],
  output = 'scores',
}: NetworkOptions = {}): ModelInput {
  return {
    nodes: [
      {
        op: 'Conv',
        name: 'conv',
        inputs: ['x', 'w', 'b'],
        outputs: ['conv'],
        attributes: { pads: [1, 1, 1, 1] },
      },
      { op: 'Relu', name: 'relu', inputs: ['conv'], outputs: ['relu'] },
      { op: 'GlobalAveragePool', name: 'pool', inputs: ['relu'], outputs: ['pool'] },
      { op: 'Flatten', inputs: ['pool'], outputs: ['flat'] },
      {
        op: 'Gemm',
        name: 'head',
        inputs: ['flat', 'h', 'c'],
        outputs: ['scores'],
        attributes: { transB: 1 },
      },
      ...tail,
    ],
    inputs: [{ name: 'x', shape: [1, 1, SIDE, SIDE] }],
    outputs: [{ name: output, shape: null }],
    initializers: [
      { name: 'w', shape: [CHANNELS, 1, 3, 3], data: weights },
      { name: 'b', shape: [CHANNELS], data: new Float32Array(CHANNELS).fill(bias) },
      { name: 'h', shape: [2, CHANNELS], data: Float32Array.from(head) },
      { name: 'c', shape: [2], data: new Float32Array(2) },
    ],
  };
}

interface Asked {
  readonly method?: AttributionMethod;
  readonly layer?: string;
  readonly target?: TargetSpec;
  readonly options?: AttributionOptions;
  readonly input?: Float32Array;
}

/** A picture of positive numbers. */
const picture = (): Float32Array => seededFloats(2, SIDE * SIDE, 1).map(Math.abs);

const explained = (model: ModelInput, asked: Asked = {}): Promise<ExplainResult> =>
  engine.explain({
    model: engine.model(writeModel(model)),
    feeds: { x: engine.feed(floatTensor([1, 1, SIDE, SIDE], asked.input ?? picture())) },
    method: asked.method ?? 'grad-cam',
    layers: asked.layer === undefined ? [] : [asked.layer],
    target: asked.target ?? { kind: 'class', index: 0 },
    options: asked.options ?? {},
  });

async function findings(model: ModelInput, asked: Asked = {}): Promise<ExplainResult['findings']> {
  const result = await explained(model, asked);
  for (const { message } of result.findings) expect(message).toMatch(/^[^\n]+\.$/);
  return result.findings;
}

describe('what a map says of itself', () => {
  test('nothing where nothing is odd', async () => {
    for (const method of ['grad-cam', 'gradient', 'occlusion', 'score-cam', 'eigen-cam'] as const)
      expect(await findings(network(), { method })).toEqual([]);
  });

  test('every value speaks against the target', async () => {
    const [finding] = await findings(network(), { target: { kind: 'class', index: 1 } });
    expect(finding).toMatchObject({
      kind: 'negative',
      message: expect.stringContaining('every value is negative for class 1'),
      remedy: { kind: 'signed' },
    });
  });

  test('the layer is dead', async () => {
    const model = network({ bias: -100 });
    for (const method of ['grad-cam', 'eigen-cam', 'ablation-cam'] as const) {
      const [finding] = await findings(model, { method, layer: 'relu' });
      expect(finding).toMatchObject({
        kind: 'dead',
        message: expect.stringContaining('"relu" is 0 everywhere'),
      });
    }
  });

  test('no gradient passes the rectifiers', async () => {
    const [finding] = await findings(network({ bias: -100 }), { layer: 'conv' });
    expect(finding).toMatchObject({
      kind: 'empty',
      message: expect.stringContaining('The gradient of class 0 at "conv" is zero everywhere'),
      remedy: { kind: 'method', method: 'score-cam' },
    });
    const [other] = await findings(network({ bias: -100 }), { method: 'gradient' });
    expect(other).toMatchObject({
      kind: 'empty',
      message: expect.stringContaining('at "x" is zero everywhere'),
      remedy: { kind: 'method', method: 'occlusion' },
    });
  });

  test('nothing that is hidden changes the score', async () => {
    const [finding] = await findings(network({ head: [0, 0, 0, 0, 1, 2, 3, 4] }), {
      method: 'occlusion',
    });
    expect(finding).toMatchObject({
      kind: 'empty',
      message: expect.stringContaining('the same whatever is hidden'),
    });
  });

  test('the target is reached only through whole numbers', async () => {
    const tail: readonly NodeInput[] = [
      { op: 'ArgMax', inputs: ['flat'], outputs: ['best'], attributes: { axis: 1, keepdims: 1 } },
      { op: 'Cast', inputs: ['best'], outputs: ['number'], attributes: { to: 1 } },
    ];
    const [finding] = await findings(network({ tail, output: 'number' }), {
      method: 'gradient',
      target: { kind: 'element', tensor: 'number', index: [0, 0] },
    });
    expect(finding).toMatchObject({
      kind: 'noPath',
      remedy: { kind: 'method', method: 'occlusion' },
    });
  });

  test('the target is a probability that can hardly rise', async () => {
    const tail: readonly NodeInput[] = [
      { op: 'Softmax', inputs: ['scores'], outputs: ['chances'], attributes: { axis: 1 } },
    ];
    const model = network({ tail, output: 'chances', head: [50, 50, 50, 50, -50, -50, -50, -50] });
    const target = { kind: 'element', tensor: 'chances', index: [0, 0] } as const;
    const [finding] = await findings(model, { target, method: 'gradient' });
    expect(finding).toMatchObject({
      kind: 'saturated',
      message: expect.stringContaining('after its Softmax'),
      remedy: { kind: 'target', target: { kind: 'class', index: 0 } },
    });
    expect(await findings(model)).toEqual([]);
  });

  test('only one place leads to the target', async () => {
    const found = await findings(network(), {
      layer: 'relu',
      method: 'hires-cam',
      target: { kind: 'channel', tensor: 'relu', channel: 2, row: 3, column: 5 },
    });
    expect(found).toMatchObject([
      { kind: 'onePlace', message: expect.stringContaining('row 3, column 5') },
    ]);
  });
});

describe('what a map says of its input and weights', () => {
  test('a picture of one colour', async () => {
    const found = await findings(network(), { input: new Float32Array(SIDE * SIDE).fill(0.5) });
    expect(found).toMatchObject([
      { kind: 'preprocessing', message: expect.stringContaining('"x" is 0.5 everywhere') },
    ]);
  });

  test('classes that all have the same score', async () => {
    const found = await findings(network({ head: Array(8).fill(0) }), { method: 'eigen-cam' });
    expect(found).toMatchObject([
      {
        kind: 'preprocessing',
        message: expect.stringContaining('All classes have the same score'),
      },
    ]);
  });

  test.each([NaN, Infinity])('%s in the input', async value => {
    const input = picture();
    input[10] = value;
    for (const method of ['grad-cam', 'gradient', 'eigen-cam', 'occlusion'] as const) {
      const [finding] = await findings(network(), { input, method });
      expect(finding).toMatchObject({
        kind: 'notFinite',
        message: expect.stringContaining('The input "x" holds'),
      });
    }
  });

  test('NaN in the weights', async () => {
    const weights = seededFloats(5, CHANNELS * 9, 1);
    weights[3] = NaN;
    const [finding] = await findings(network({ weights }), { layer: 'conv' });
    expect(finding).toMatchObject({
      kind: 'notFinite',
      message: expect.stringContaining('The weights "w" hold'),
    });
  });

  test('NaN that comes up in the run', async () => {
    const tail: readonly NodeInput[] = [
      { op: 'Neg', inputs: ['scores'], outputs: ['negated'] },
      { op: 'Sqrt', name: 'root', inputs: ['negated'], outputs: ['roots'] },
    ];
    const [finding] = await findings(network({ tail, output: 'roots' }));
    expect(finding).toMatchObject({
      kind: 'notFinite',
      message: expect.stringContaining('first in "roots"'),
    });
  });
});

describe('what a map says of its method', () => {
  test.each(['guided-backprop', 'deconvolution', 'guided-grad-cam'] as const)(
    '%s names its limit',
    async method => {
      const found = await findings(network(), { method });
      expect(found).toMatchObject([{ kind: 'limit', severity: 'information' }]);
    },
  );

  test('guided backprop without a Relu is the plain gradient', async () => {
    const model = network();
    const nodes = model.nodes.map(node => (node.op === 'Relu' ? { ...node, op: 'Sigmoid' } : node));
    const [finding] = await findings({ ...model, nodes }, { method: 'guided-backprop' });
    expect(finding?.message).toContain('plain gradients were used');
  });

  test('Ablation-CAM of a negative score', async () => {
    const found = await findings(network(), {
      method: 'ablation-cam',
      target: { kind: 'class', index: 1 },
    });
    expect(found.map(({ kind }) => kind)).toContain('limit');
  });
});

test('a layer behind the target is an error that says which to take', async () => {
  for (const method of ['grad-cam', 'gradient', 'ablation-cam'] as const)
    await expect(
      explained(network(), {
        method,
        layer: 'relu',
        target: { kind: 'channel', tensor: 'conv', channel: 1 },
      }),
    ).rejects.toMatchObject({
      code: 'noPath',
      message:
        'Nothing leads from the layer "relu" to the target (channel 1 of conv, tensor "conv"); choose a layer before it.',
    });
  await expect(
    explained(network(), {
      layer: 'relu',
      target: { kind: 'channel', tensor: 'x', channel: 0 },
    }),
  ).rejects.toMatchObject({ code: 'noPath' });
});
