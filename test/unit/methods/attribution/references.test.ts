import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type {
  AttributionMethod,
  AttributionOptions,
  ExplainResult,
  IntegrationRule,
  NoiseReduction,
} from '../../../../protocol/attribution';
import { LocalEngine } from './localEngine';
import { LAYOUTS, references, relativeError } from './smallNetwork';

/** The references are float32 themselves. */
const TOLERANCE = 2e-5;

const RULES: readonly (readonly [IntegrationRule, string])[] = [
  ['left', 'riemann_left'],
  ['right', 'riemann_right'],
  ['middle', 'riemann_middle'],
  ['trapezoid', 'riemann_trapezoid'],
  ['gauss-legendre', 'gausslegendre'],
];
const REDUCTIONS: readonly NoiseReduction[] = ['mean', 'mean-abs', 'square', 'variance'];

let engine: LocalEngine;
beforeAll(() => {
  engine = new LocalEngine();
});
afterAll(() => engine.dispose());

describe.each(LAYOUTS)('what the libraries say of a batch of two, $layout', ({ model, tensor }) => {
  const explained = (
    method: AttributionMethod,
    options: AttributionOptions = {},
  ): Promise<ExplainResult> =>
    engine.explain({
      model,
      feeds: { input: engine.feed(tensor(references.input)) },
      method,
      layers: ['input-x-gradient', 'integrated-gradients', 'smooth-grad', 'occlusion'].includes(
        method,
      )
        ? []
        : ['relu2'],
      options,
    });

  test.each([
    ['score-cam', references.scoreCam],
    ['ablation-cam', references.ablationCam],
    ['xgrad-cam', references.xGradCam],
  ] as const)('%s as pytorch-grad-cam', async (method, want) => {
    const got = await explained(method, { channelsUsed: 'all' });
    expect(got.attributionShape).toEqual(want.shape);
    expect(
      relativeError(got.attribution, {
        dtype: 'float32',
        shape: want.shape,
        data: Float32Array.from(want.values),
      }),
    ).toBeLessThan(TOLERANCE);
  });

  test('guided Grad-CAM as captum', async () => {
    const got = await explained('guided-grad-cam');
    const want = tensor(references.guidedGradCam);
    expect(got.attributionShape).toEqual(want.shape);
    expect(relativeError(got.attribution, want)).toBeLessThan(TOLERANCE);
  });

  test.each(RULES)('Integrated Gradients by the rule %s as captum', async (rule, name) => {
    const want = references.integratedGradients[name];
    if (!want) throw new Error(`no reference for ${name}`);
    const got = await explained('integrated-gradients', {
      steps: 9,
      rule,
      baseline: { kind: 'file', path: engine.array(tensor(references.baseline)) },
      convention: 'captum',
    });
    expect(relativeError(got.attribution, tensor(want))).toBeLessThan(TOLERANCE);
  });

  test.each(REDUCTIONS)('SmoothGrad by %s as autograd', async reduce => {
    const want = references.smoothGrad[reduce];
    if (!want) throw new Error(`no reference for ${reduce}`);
    const got = await explained('smooth-grad', {
      reduce,
      noise: engine.array(tensor(references.noise)),
    });
    expect(relativeError(got.attribution, tensor(want))).toBeLessThan(TOLERANCE);
  });

  test.each(references.occlusion)(
    'occlusion with windows of $window every $stride, baseline $baseline, as captum',
    async ({ window, stride, baseline, attribution }) => {
      const got = await explained('occlusion', {
        window,
        stride,
        baseline:
          baseline === 'zero'
            ? { kind: baseline }
            : { kind: baseline, path: engine.array(tensor(references.baseline)) },
      });
      expect(relativeError(got.attribution, tensor(attribution))).toBeLessThan(TOLERANCE);
    },
  );
});
