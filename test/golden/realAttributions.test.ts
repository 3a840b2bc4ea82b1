import { readdirSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AttributionMethod, ExplainResult, TargetSpec } from '../../protocol/attribution';
import { UserError } from '../../protocol/errors';
import type { PreprocessingOverrides } from '../../protocol/preprocessing';
import { feedsOf } from '../../server/src/cli/modelAndFeeds';
import { EngineHost } from '../../server/src/engine/engineHost';
import { describeModel } from '../../server/src/workspace/describeModel';
import { describeShared } from '../shared';
import { buildCli, type BuiltCli } from '../unit/cli/builtCli';

/** SqueezeNet was trained on BGR, 0…255 less these means: nothing in its file says so. */
const SQUEEZENET: PreprocessingOverrides = {
  channels: 'BGR',
  scale: 1,
  mean: [103.939, 116.779, 123.68],
  std: [1, 1, 1],
};

/** Where the animal is in the central square of the picture, marked by eye, in fractions. */
interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}
const ANIMALS = [
  ['goldfish.jpg', 1, { left: 0, top: 0.18, right: 0.92, bottom: 0.81 }],
  ['zebra.jpg', 340, { left: 0.02, top: 0.26, right: 1, bottom: 0.87 }],
  ['flamingo.jpg', 130, { left: 0.14, top: 0.02, right: 0.82, bottom: 0.77 }],
  ['both_cat_dog.png', 243, { left: 0.34, top: 0.05, right: 0.74, bottom: 0.66 }],
] as const satisfies readonly (readonly [string, number, Box])[];
const DOG: Box = ANIMALS[3][2];
const CAT: Box = { left: 0.2, top: 0.53, right: 0.9, bottom: 1 };
/** Of the cats that the network knows, the one whose map is not split between both animals (classes 281 and 282 also answer to the dog's head). */
const EGYPTIAN_CAT = 285;
const BULL_MASTIFF = 243;
const TABBY = 281;
/** Part of the square that the network sees: 224 of a shortest side of 256. */
const SEEN = 224 / 256;

describeShared('attributions of models that nobody here made', shared => {
  const folder = path.join(shared, 'models');
  let cli: BuiltCli;
  let host: EngineHost;
  beforeAll(async () => {
    cli = await buildCli();
    const settings = { threads: 1, sessionCacheBytes: 2 ** 29, activationCacheBytes: 2 ** 28 };
    host = new EngineHost({ enginePath: cli.enginePath, settings, memoryLimitBytes: 0 });
  });
  afterAll(() => {
    host.dispose();
    cli.dispose();
  });

  async function explain(
    model: string,
    picture: string,
    method: AttributionMethod,
    target: TargetSpec,
    overrides: PreprocessingOverrides = {},
  ): Promise<ExplainResult> {
    const { description } = await describeModel(path.join(folder, model), [
      { overrides: { '*': overrides }, from: 'test' },
    ]);
    const feeds = feedsOf(description, [path.join(shared, 'images', picture)]);
    return host.call('explain', {
      model: description.path,
      feeds,
      method,
      layers: [],
      target,
      want: 'full',
    });
  }

  const inSquare = (seen: number): number => 0.5 + (seen - 0.5) * SEEN;

  /** Share of a heatmap's mass inside a box. */
  function mass({ heatmap, heatmapShape }: ExplainResult, box: Box): number {
    const [, rows = 1, columns = 1] = heatmapShape;
    let inside = 0;
    let all = 0;
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++) {
        const value = heatmap[row * columns + column] ?? 0;
        const [x, y] = [inSquare((column + 0.5) / columns), inSquare((row + 0.5) / rows)];
        all += value;
        if (x >= box.left && x < box.right && y >= box.top && y < box.bottom) inside += value;
      }
    return inside / all;
  }

  describe('SqueezeNet', () => {
    it.each(ANIMALS)('looks at the animal in %s', async (picture, index, box) => {
      const result = await explain(
        'squeezenet_fp16.onnx',
        picture,
        'grad-cam',
        { kind: 'top' },
        SQUEEZENET,
      );
      expect(result.target.classIndex).toBe(index);
      expect(mass(result, box)).toBeGreaterThanOrEqual(0.5);
    });

    const ofCatAndDog = (target: TargetSpec): Promise<ExplainResult> =>
      explain('squeezenet_fp16.onnx', 'both_cat_dog.png', 'grad-cam', target, SQUEEZENET);

    it('lights different animals for the dog and for the cat', async () => {
      const dog = await ofCatAndDog({ kind: 'class', index: BULL_MASTIFF });
      const cat = await ofCatAndDog({ kind: 'class', index: EGYPTIAN_CAT });
      expect(mass(dog, DOG)).toBeGreaterThanOrEqual(0.5);
      expect(mass(cat, CAT)).toBeGreaterThan(mass(cat, DOG));
      expect(mass(cat, CAT)).toBeGreaterThan(2 * mass(dog, CAT));
      expect(mass(dog, DOG)).toBeGreaterThan(2 * mass(dog, CAT));
    });

    it('lights the cat for "cat and not dog"', async () => {
      const result = await ofCatAndDog({ kind: 'difference', index: TABBY, minus: BULL_MASTIFF });
      expect(mass(result, CAT)).toBeGreaterThanOrEqual(0.5);
      expect(mass(result, DOG)).toBeLessThan(0.2);
    });
  });

  const files = readdirSync(folder).filter(name => name.endsWith('.onnx') && !BROKEN.has(name));
  describe.each(files)('%s', model => {
    it.each(['grad-cam', 'gradient'] as const)(
      'gives %s of a picture, or says in one sentence why not',
      async method => {
        const attempt = explain(model, 'kitten_224.png', method, { kind: 'top' });
        const refusal = REFUSALS.find(([name, kinds]) => name === model && kinds.includes(method));
        if (refusal) {
          const error: unknown = await attempt.then(
            () => null,
            (reason: unknown) => reason,
          );
          expect(error).toBeInstanceOf(UserError);
          expect(error).toMatchObject({
            code: refusal[2],
            message: expect.stringMatching(/^[^\n]+\.$/),
          });
          return;
        }
        const { attribution } = await attempt;
        expect(attribution.every(Number.isFinite)).toBe(true);
        expect(attribution.some(value => value !== 0)).toBe(true);
      },
    );
  });
});

/** Files that are no whole ONNX model. */
const BROKEN: ReadonlySet<string> = new Set([
  'bad_empty.onnx',
  'bad_lfs_pointer.onnx',
  'bad_names.onnx',
  'bad_truncated.onnx',
  'corrupt_winml.onnx',
]);

const BOTH = ['grad-cam', 'gradient'] as const;

/** Models that give no map for a picture, and why: most take none, one has a single convolution, one does not run. */
const REFUSALS: readonly (readonly [string, readonly AttributionMethod[], string])[] = [
  ['burn_attention_4d.onnx', BOTH, 'inputNeeded'],
  ['burn_attention_qk_output_3.onnx', BOTH, 'inputNeeded'],
  ['burn_dynamo_conv2d_asym_pad.onnx', ['grad-cam'], 'noGrid'],
  ['burn_loop_nested.onnx', BOTH, 'inputNeeded'],
  ['burn_multi_external_files.onnx', BOTH, 'inputNeeded'],
  ['burn_nested_if_loop_if_scan.onnx', BOTH, 'inputNeeded'],
  ['lr_mnist_scikit.onnx', BOTH, 'inputNeeded'],
  ['magika_v3_3.onnx', BOTH, 'inputNeeded'],
  ['ndm_gru.onnx', BOTH, 'inputNeeded'],
  ['openwakeword_embedding.onnx', BOTH, 'inputNeeded'],
  ['ort_attention_mha.onnx', BOTH, 'inputNeeded'],
  ['ort_function_variadics.onnx', BOTH, 'inputNeeded'],
  ['ort_invalid_dim_rep.onnx', BOTH, 'inputNeeded'],
  ['ort_mha_cross.onnx', BOTH, 'inputNeeded'],
  ['ort_model_with_external_initializers.onnx', BOTH, 'inputNeeded'],
  ['ort_sparse_initializer.onnx', BOTH, 'inputNeeded'],
  ['ort_tfbert_qa.onnx', BOTH, 'inputNeeded'],
  ['ort_whisper_enc_selfattn_fp16.onnx', BOTH, 'inputNeeded'],
  ['resnet18_dynamo.onnx', BOTH, 'runtimeRefused'],
  ['silero_vad_v5.onnx', BOTH, 'inputNeeded'],
  ['super_resolution_prepost_op18.onnx', BOTH, 'inputNeeded'],
  ['tiny_random_gpt2_past.onnx', BOTH, 'inputNeeded'],
];
