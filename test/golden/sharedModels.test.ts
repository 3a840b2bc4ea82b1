import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UserError } from '../../protocol/errors';
import type { ModelFeeds, TensorResult } from '../../protocol/methods';
import type { ModelDescription } from '../../protocol/model';
import type { PreprocessingOverrides } from '../../protocol/preprocessing';
import { tensorOf } from '../../server/src/cli/arrayFile';
import { feedsOf } from '../../server/src/cli/modelAndFeeds';
import { EngineHost } from '../../server/src/engine/engineHost';
import { writeNpy } from '../../server/src/image/npy';
import { toNumbers } from '../../server/src/onnx/numbers';
import { describeModel } from '../../server/src/workspace/describeModel';
import { describeShared } from '../shared';
import { buildCli, type BuiltCli } from '../unit/cli/builtCli';

/** What is known of each model, from the folder's own list. */
interface ModelFacts {
  readonly file: string;
  readonly onnxruntime_node_1_30: {
    readonly loads_and_runs: boolean;
    readonly fed: Readonly<Record<string, string>> | null;
    readonly got: Readonly<Record<string, string>> | null;
  };
}

/** Files that are no whole ONNX model, and what the sentence must say. */
const REFUSED: Readonly<Record<string, string>> = {
  'bad_empty.onnx': 'is empty',
  'bad_lfs_pointer.onnx': 'Git LFS pointer',
  'bad_names.onnx': 'no IR version',
  'bad_truncated.onnx': 'truncated',
  'corrupt_winml.onnx': 'not an ONNX model',
  'ort_mnist_basic.ort': 'ORT format',
};
/** Models that can be read and listed but that ONNX Runtime refuses, and what the sentence must say. */
const NOT_RUN: Readonly<Record<string, string>> = {
  'resnet18_dynamo.onnx': 'conv1.weight',
  'burn_nested_if_loop_if_scan.onnx': 'outer_if',
  'super_resolution_prepost_op18.onnx': 'DecodeImage',
};
/** Models that run here although asking the runtime for all outputs fails: one is no tensor. */
const ASKS_ALL: ReadonlySet<string> = new Set(['lr_mnist_scikit.onnx']);
/** Inputs whose value matters, besides zeros. */
const VALUES: Readonly<Record<string, number>> = {
  sr: 16000,
  cond: 1,
  cond_init: 1,
  M_outer: 1,
  M_inner: 1,
};
/** Layers of one model that are visualised, spread over it. */
const MOST_LAYERS = 12;

describeShared('models that nobody here made', shared => {
  const folder = path.join(shared, 'models');
  const files = readdirSync(folder).filter(name => /\.(onnx|ort)$/.test(name));
  const facts: readonly ModelFacts[] = JSON.parse(
    readFileSync(path.join(folder, 'models.json'), 'utf8'),
  );
  const factsOf = (file: string) => facts.find(each => each.file === file)?.onnxruntime_node_1_30;
  let cli: BuiltCli;
  let host: EngineHost;
  beforeAll(async () => {
    cli = await buildCli();
    const settings = { threads: 1, sessionCacheBytes: 2 ** 28, activationCacheBytes: 2 ** 29 };
    host = new EngineHost({ enginePath: cli.enginePath, settings, memoryLimitBytes: 0 });
  });
  afterAll(() => {
    host.dispose();
    cli.dispose();
  });

  /** `float16[1,3,224,224]` as a file of zeros (or of the value that the input needs). */
  function arrayFeeds(fed: Readonly<Record<string, string>>): ModelFeeds {
    return Object.fromEntries(
      Object.entries(fed).map(([name, text]) => {
        const shape = (/\[(.*)\]/.exec(text)?.[1] ?? '').split(',').filter(Boolean).map(Number);
        const count = shape.reduce((product, size) => product * size, 1);
        const data = new Float32Array(count).fill(VALUES[name] ?? 0);
        const file = path.join(cli.folder, `${name.replace(/\W/g, '_')}.npy`);
        writeFileSync(file, writeNpy({ dtype: 'float32', shape, data }).bytes);
        return [name, { kind: 'array', path: file }];
      }),
    );
  }

  const thrown = async (call: Promise<unknown>): Promise<UserError> => {
    const error: unknown = await call.then(
      () => null,
      (reason: unknown) => reason,
    );
    if (error instanceof UserError) return error;
    throw new Error(`expected a UserError, got ${String(error)}`);
  };

  const isOneSentence = (text: string): boolean => /^[^\n]+\.$/.test(text) && text.length < 500;

  describe.each(files)('%s', file => {
    const model = path.join(folder, file);
    const refused = REFUSED[file];
    if (refused !== undefined) {
      it('is refused with one clear sentence', async () => {
        const error = await thrown(describeModel(model, []));
        expect(['notOnnx', 'brokenModel']).toContain(error.code);
        expect(error.message).toContain(refused);
        expect(error.message).toContain(file);
        expect(error.message).toSatisfy(isOneSentence);
      });
      return;
    }

    it('is read and listed', async () => {
      const { description } = await describeModel(model, []);
      expect(description.layers.length).toBeGreaterThan(0);
      expect(new Set(description.layers.map(layer => layer.id)).size).toBe(
        description.layers.length,
      );
      expect(description.problems.filter(problem => problem.severity === 'error')).toEqual([]);
    });

    const notRun = NOT_RUN[file];
    it(
      notRun === undefined
        ? 'runs, and its layers are shown'
        : 'is not run, with one clear sentence',
      async () => {
        const { description } = await describeModel(model, []);
        const known = factsOf(file);
        if (!ASKS_ALL.has(file)) expect(known?.loads_and_runs).toBe(notRun === undefined);
        const feeds = arrayFeeds(known?.fed ?? {});
        const tensors = description.outputs
          .filter(output => !output.container)
          .map(output => output.name);
        const run = host.call('tensors', { model, feeds, tensors });
        if (notRun !== undefined) {
          const error = await thrown(run);
          expect(error.code).toBe('runtimeRefused');
          expect(error.message).toContain(notRun);
          expect(error.message).toContain(file);
          expect(error.message).toSatisfy(isOneSentence);
          return;
        }
        const result = await run;
        const got = Object.fromEntries(
          result.tensors.map(({ name, dtype, shape }) => [name, `${dtype}[${shape.join()}]`]),
        );
        if (known?.got) expect(got).toEqual(known.got);
        await visualize(description, feeds);
      },
    );
  });

  /** Filters and maps of layers spread over a model: each gives a picture or says in one sentence why not. */
  async function visualize(description: ModelDescription, feeds: ModelFeeds): Promise<void> {
    const { path: model, layers } = description;
    const step = Math.max(1, Math.ceil(layers.length / MOST_LAYERS));
    let shown = 0;
    for (const { id: layer } of layers.filter((_, index) => index % step === 0)) {
      for (const call of [
        host.call('filters', { model, layer, first: 0, count: 8 }),
        host.call('featureMaps', { model, layer, feeds }),
      ]) {
        const error: unknown = await call.then(
          () => null,
          (reason: unknown) => reason,
        );
        if (error === null) shown++;
        else if (error instanceof UserError) {
          expect(error.code).not.toBe('internal');
          expect(error.message).toSatisfy(isOneSentence);
        } else throw error;
      }
    }
    expect(shown).toBeGreaterThan(0);
  }

  /** The tensors of a model for a picture of the shared folder. */
  async function outputsFor(
    file: string,
    picture: string,
    overrides: PreprocessingOverrides,
    names: readonly string[],
  ): Promise<readonly TensorResult[]> {
    const model = path.join(folder, file);
    const { description } = await describeModel(model, [
      { overrides: { '*': overrides }, from: 'test' },
    ]);
    const feeds = feedsOf(description, [path.join(shared, 'images', picture)]);
    return (await host.call('tensors', { model, feeds, tensors: names })).tensors;
  }

  async function predictionOf(
    file: string,
    picture: string,
    overrides: PreprocessingOverrides,
    top = 1,
  ) {
    const model = path.join(folder, file);
    const { description } = await describeModel(model, [
      { overrides: { '*': overrides }, from: 'test' },
    ]);
    const feeds = feedsOf(description, [path.join(shared, 'images', picture)]);
    const { classes } = await host.call('predict', { model, feeds, top });
    return classes ?? [];
  }

  const numbersOf = (tensor: TensorResult | undefined): readonly number[] =>
    tensor === undefined ? [] : toNumbers(tensorOf(tensor));

  const CAFFE: PreprocessingOverrides = {
    channels: 'BGR',
    scale: 1,
    mean: [103.939, 116.779, 123.68],
    std: [1, 1, 1],
    resize: 'stretch',
  };
  const MINUS_ONE_TO_ONE = {
    scale: 1,
    mean: [127.5, 127.5, 127.5],
    std: [127.5, 127.5, 127.5],
    resize: 'stretch',
  } as const;

  // The reference's resize filter is not stated; the probabilities are given to three decimals.
  it.each([
    ['goldfish.jpg', 1, 0.997],
    ['zebra.jpg', 340, 0.999],
    ['flamingo.jpg', 130, 1],
    ['kitten_224.png', 281, 0.935],
  ])('squeezenet_fp16 sees %s as class %i', async (picture, index, probability) => {
    const [best] = await predictionOf('squeezenet_fp16.onnx', picture, CAFFE);
    expect(best?.index).toBe(index);
    expect(Math.abs((best?.probability ?? 0) - probability)).toBeLessThan(0.02);
  });

  it.each([
    ['goldfish.jpg', [1]],
    ['zebra.jpg', [340]],
    ['flamingo.jpg', [130]],
    ['cat_snow.jpg', [281]],
    ['chelsea.png', [285]],
    ['bridge.jpg', [718, 839]],
  ])(
    'mobilenetv2 int8 sees %s as classes %j with the detected preprocessing',
    async (picture, indices) => {
      const classes = await predictionOf('mobilenetv2-12-int8.onnx', picture, {}, indices.length);
      expect(classes.map(({ index }) => index)).toEqual(indices);
    },
  );

  it.each([
    ['mnist_cntk_opset8.onnx', { scale: 1 }],
    ['cnn_mnist_pytorch_java.onnx', { scale: 1 / 255 }],
    ['mnist_burn_pytorch.onnx', { scale: 1 / 255, mean: [0.1307], std: [0.3081] }],
  ])('%s reads all ten digits', async (file, overrides) => {
    const read: (number | undefined)[] = [];
    for (let digit = 0; digit < 10; digit++) {
      const [best] = await predictionOf(file, `digits/digit_${digit}.png`, overrides);
      read.push(best?.index);
    }
    expect(read).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('ultraface finds the astronaut where she is', async () => {
    const overrides = {
      scale: 1,
      mean: [127, 127, 127],
      std: [128, 128, 128],
      resize: 'stretch',
    } as const;
    const [scores, boxes] = await outputsFor('ultraface_rfb320.onnx', 'astronaut.png', overrides, [
      'scores',
      'boxes',
    ]);
    const faces = numbersOf(scores).filter((_, i) => i % 2 === 1);
    const best = faces.indexOf(Math.max(...faces));
    expect(faces[best]?.toFixed(3)).toBe('1.000');
    // left, top, right, bottom, to two decimals as stated
    const box = numbersOf(boxes).slice(best * 4, best * 4 + 4);
    [0.35, 0.12, 0.52, 0.34].forEach((side, i) =>
      expect(Math.abs((box[i] ?? NaN) - side)).toBeLessThan(0.02),
    );
  });

  /** FastestDet: channel 0 is objectness, 5 to 84 are classes (COCO); score = objectness^0.6 · class^0.4, threshold 0.65. */
  it.each([
    ['horses.jpg', [17]],
    ['both_cat_dog.png', [15, 16]],
    ['elephant.jpg', [20]],
  ])('fastestdet sees in %s the classes %j and nothing else', async (picture, wanted) => {
    const overrides: PreprocessingOverrides = {
      channels: 'BGR',
      scale: 1 / 255,
      mean: [0, 0, 0],
      std: [1, 1, 1],
      resize: 'stretch',
    };
    const [tensor] = await outputsFor('fastestdet.onnx', picture, overrides, ['758']);
    const values = numbersOf(tensor);
    const cells = 22 * 22;
    const seen = Array.from({ length: 80 }, (_, index) => index).filter(index => {
      for (let cell = 0; cell < cells; cell++) {
        const [objectness = 0, score = 0] = [values[cell], values[(5 + index) * cells + cell]];
        if (objectness ** 0.6 * score ** 0.4 > 0.65) return true;
      }
      return false;
    });
    expect(seen).toEqual(wanted);
  });

  it.each([
    ['astronaut.png', 15, 0.46],
    ['both_cat_dog.png', 12, 0.32],
  ])('deeplab gives %s class %i on its share of the picture', async (picture, index, share) => {
    const [tensor] = await outputsFor('deeplab_v3.onnx', picture, MINUS_ONE_TO_ONE, [
      'ResizeBilinear_3',
    ]);
    const values = numbersOf(tensor);
    let cells = 0;
    for (let cell = 0; cell < 257 * 257; cell++) {
      const scores = values.slice(cell * 21, cell * 21 + 21);
      if (scores.indexOf(Math.max(...scores)) === index) cells++;
    }
    expect(Math.abs(cells / 257 ** 2 - share)).toBeLessThan(0.02);
  });

  it('lstr gives attention whose rows add up to 1', async () => {
    const overrides = { width: 640, height: 360 };
    const [weights] = await outputsFor('lstr_360x640.onnx', 'bridge.jpg', overrides, ['weights']);
    expect(weights?.shape).toEqual([1, 240, 240]);
    const values = numbersOf(weights);
    for (let row = 0; row < 240; row++)
      expect(values.slice(row * 240, row * 240 + 240).reduce((a, b) => a + b)).toBeCloseTo(1, 4);
  });
});
