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

/** Where the animal is in the square that the network sees, marked by eye, in fractions. */
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
const TIGER_CAT = 282;

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

  /** Share of a heatmap's mass inside a box. */
  function mass({ heatmap, heatmapShape }: ExplainResult, box: Box): number {
    const [, rows = 1, columns = 1] = heatmapShape;
    let inside = 0;
    let all = 0;
    for (let row = 0; row < rows; row++)
      for (let column = 0; column < columns; column++) {
        const value = heatmap[row * columns + column] ?? 0;
        const [x, y] = [(column + 0.5) / columns, (row + 0.5) / rows];
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

    it('lights different animals for the dog and for the cat', async () => {
      const of = (index: number): Promise<ExplainResult> =>
        explain(
          'squeezenet_fp16.onnx',
          'both_cat_dog.png',
          'grad-cam',
          { kind: 'class', index },
          SQUEEZENET,
        );
      const dog = await of(243);
      const cat = await of(TIGER_CAT);
      expect(mass(dog, DOG)).toBeGreaterThan(mass(cat, DOG));
      expect(mass(cat, CAT)).toBeGreaterThan(mass(dog, CAT));
      expect(mass(cat, CAT)).toBeGreaterThanOrEqual(0.5);
    });
  });

  describe.each(readdirSync(folder).filter(name => name.endsWith('.onnx')))('%s', model => {
    it.each(['grad-cam', 'gradient'] as const)(
      'gives %s, or says in one sentence why not',
      async method => {
        const result = await explain(model, 'kitten_224.png', method, { kind: 'top' }).catch(
          (error: unknown) => error,
        );
        if (result instanceof UserError) {
          expect(result.code).not.toBe('internal');
          expect(result.message).toMatch(/^[^\n]+\.$/);
          expect(WITHOUT_GRADIENT).toContainEqual([model, method, result.code]);
          return;
        }
        if (result instanceof Error) throw result;
        expect(WITHOUT_GRADIENT.map(([name, kind]) => `${name} ${kind}`)).not.toContain(
          `${model} ${method}`,
        );
        const { attribution } = result as ExplainResult;
        expect(attribution.every(Number.isFinite)).toBe(true);
        expect(attribution.some(value => value !== 0)).toBe(true);
      },
    );
  });
});

/** Models that give no map for a picture, and why. */
const WITHOUT_GRADIENT: readonly (readonly [string, AttributionMethod, string])[] = [];
