import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type {
  AttributionMethod,
  AttributionOptions,
  ExplainResult,
  IntegrationRule,
  TargetSpec,
} from '../../protocol/attribution';
import { normalised } from '../../server/src/methods/attribution/normalise';
import { describeShared } from '../shared';
import { floatTensor, LocalEngine } from '../unit/methods/attribution/localEngine';

interface Stored {
  readonly file: string;
  readonly shape: readonly number[];
}
interface Artifact extends Stored {
  readonly input: string;
  readonly target: string | null;
  readonly method: string;
  readonly stage: string;
  readonly layer?: string;
  readonly rule?: string;
  readonly atol: number;
}
type GoldenTarget = { readonly id: string; readonly output: string } & (
  | { readonly kind: 'index'; readonly index: readonly number[] }
  | { readonly kind: 'weighted_sum'; readonly weights: Stored }
);
interface GoldenCase {
  readonly models: readonly { readonly file: string; readonly opset: number }[];
  readonly input_tensor: string;
  readonly inputs: readonly (Stored & {
    readonly id: string;
    readonly targets: readonly GoldenTarget[];
  })[];
  readonly layers: readonly {
    readonly alias: string;
    readonly tensor: Readonly<Record<string, string | null>>;
  }[];
  readonly params: {
    readonly ig: { readonly steps: number };
    readonly smoothgrad: { readonly noise: Stored };
  };
  readonly artifacts: readonly Artifact[];
}

const METHODS: Readonly<Record<string, AttributionMethod>> = {
  layergrad: 'gradient',
  gradcam: 'grad-cam',
  'gradcam++': 'grad-cam++',
  layercam: 'layer-cam',
  hirescam: 'hires-cam',
  eigencam: 'eigen-cam',
  scorecam: 'score-cam',
  saliency: 'gradient',
  guided_backprop: 'guided-backprop',
  integrated_gradients: 'integrated-gradients',
  smoothgrad: 'smooth-grad',
};
const RULES: Readonly<Record<string, IntegrationRule>> = {
  riemann_left: 'left',
  riemann_right: 'right',
  riemann_middle: 'middle',
  riemann_trapezoid: 'trapezoid',
  gausslegendre: 'gauss-legendre',
};
/** Networks with ReLU or max pooling: single elements may flip, as the goldens' README states. */
const STEPPED = ['saliency', 'guided_backprop', 'smoothgrad', 'integrated_gradients'];

const floats = (file: string): Float32Array => {
  const bytes = Uint8Array.from(readFileSync(file));
  return new Float32Array(bytes.buffer);
};

/** What the goldens' README asks of `got`; null where it holds. */
function deviation(got: Float32Array, want: Float32Array, artifact: Artifact): string | null {
  if (got.length !== want.length) return `${got.length} elements for ${want.length}`;
  let outside = 0;
  let squares = 0;
  let norm = 0;
  want.forEach((value, i) => {
    const difference = Math.abs((got[i] ?? NaN) - value);
    if (!(difference <= artifact.atol + 1e-4 * Math.abs(value))) outside++;
    squares += difference ** 2;
    norm += value ** 2;
  });
  const relative = Math.sqrt(squares / norm);
  if (outside === 0) return null;
  if (STEPPED.includes(artifact.method) && outside <= want.length * 0.01 && relative <= 1e-3)
    return null;
  return `${outside} of ${want.length} outside, relative L2 ${relative.toExponential(2)}`;
}

describeShared('attributions of the golden cases', shared => {
  const goldens = path.join(shared, 'goldens');
  let engine: LocalEngine;
  beforeAll(() => {
    engine = new LocalEngine();
  });
  afterAll(() => engine.dispose());

  for (const { name } of readdirSync(goldens, { withFileTypes: true }).filter(entry =>
    entry.isDirectory(),
  )) {
    const folder = path.join(goldens, name);
    const golden: GoldenCase = JSON.parse(readFileSync(path.join(folder, 'case.json'), 'utf8'));
    const stored = ({ file, shape }: Stored): string =>
      engine.array(floatTensor(shape, floats(path.join(folder, file))));
    const targetOf = ({ target, input }: Artifact): TargetSpec => {
      const found = golden.inputs
        .find(({ id }) => id === input)
        ?.targets.find(({ id }) => id === target);
      if (!found) return { kind: 'top' };
      return found.kind === 'index'
        ? { kind: 'element', tensor: found.output, index: found.index }
        : { kind: 'weighted', tensor: found.output, weights: stored(found.weights) };
    };
    const optionsOf = ({ method, rule, stage }: Artifact): AttributionOptions => {
      if (method === 'scorecam') return { channelsUsed: 'all' };
      if (method === 'smoothgrad')
        return {
          noise: stored(golden.params.smoothgrad.noise),
          reduce: stage === 'abs' ? 'mean-abs' : 'mean',
        };
      if (method !== 'integrated_gradients') return {};
      return {
        steps: golden.params.ig.steps,
        rule: RULES[rule ?? ''],
        ...(rule === 'riemann_trapezoid' ? { convention: 'captum' } : {}),
      };
    };
    const explained = (artifact: Artifact, model: string): Promise<ExplainResult> => {
      const input = golden.inputs.find(({ id }) => id === artifact.input);
      const method = METHODS[artifact.method];
      const layer = golden.layers.find(({ alias }) => alias === artifact.layer)?.tensor[model];
      if (!input || !method) throw new Error(`no way to make ${artifact.file}`);
      return engine.explain({
        model: path.join(folder, model),
        feeds: { [golden.input_tensor]: { kind: 'array', path: stored(input) } },
        method,
        layers: layer ? [layer] : [],
        target: targetOf(artifact),
        options: optionsOf(artifact),
      });
    };
    const stageOf = (result: ExplainResult, stage: string): Float32Array => {
      if (stage === 'upsampled') return result.heatmap;
      return stage === 'norm'
        ? normalised(result.attribution, result.rows * result.columns)
        : result.attribution;
    };

    describe.each(golden.models)(`${name} opset $opset`, ({ file }) => {
      const artifacts = golden.artifacts.filter(
        ({ method, stage, layer }) =>
          METHODS[method] !== undefined &&
          // how each masked input scores is inside the method
          stage !== 'scores' &&
          (layer === undefined ||
            golden.layers.some(({ alias, tensor }) => alias === layer && tensor[file])),
      );
      it.each(artifacts)('$file', async artifact => {
        const result = await explained(artifact, file);
        const got = stageOf(result, artifact.stage);
        expect(deviation(got, floats(path.join(folder, artifact.file)), artifact)).toBeNull();
      });
    });
  }
});
