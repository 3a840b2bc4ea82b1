import { toFloat32 } from '../../onnx/numbers';
import type { Tensor } from '../../onnx/tensor';
import type { Attribution, Attributor, InputTensor } from './attributor';
import { baselineOf } from './baselines';
import { tensorWith } from './derivatives';
import { fixedTarget } from './fixedTarget';
import { gradientOf } from './inputGradient';
import { pathPoints } from './integrationRules';
import { wholeOption } from './optionValues';
import { scatteredOrder } from './scatteredOrder';

const STEPS = 50;
const MOST_STEPS = 10_000;

/**
 * Integrated Gradients (Sundararajan et al. 2017, arXiv 1703.01365, eq. 3): (x − x₀) · Σ_k w_k ∂y/∂x(x₀ + α_k (x − x₀)), by default with 50 Gauss-Legendre
 * points as captum has them. One gradient run for each point and one accumulator, so that memory does not grow with the steps. The points are
 * visited in a scattered order: what is there after a stop is the integral over points all along the path. Says how far Σ attribution is from
 * F(x) − F(x₀) for the first image.
 */
export const integratedGradients: Attributor = {
  name: 'integrated-gradients',
  async attribute(request) {
    const { input, options, derivatives, target } = request;
    const rule = options.rule ?? 'gauss-legendre';
    const fewest = rule === 'trapezoid' ? 2 : 1;
    const steps = wholeOption('steps', options.steps, STEPS, fewest, MOST_STEPS);
    const points = pathPoints(rule, steps, options.convention);
    const baseline = await baselineOf(request, options.baseline);
    const fixed = await fixedTarget(request);
    const path = straightPath(input, baseline.values);
    const changed = (alpha: number) => new Map([[input.name, path.at(alpha)]]);
    const empty = await derivatives.valueFor(target.tensor, changed(0));
    const difference = (fixed.scores[0] ?? NaN) - (fixed.scoresOf(empty)[0] ?? NaN);
    const whole = points.reduce((sum, { weight }) => sum + weight, 0);
    let visited = 0;
    let noPath = false;
    const attributionOf = (share: number): Attribution => {
      const values = path.attribution(share);
      return {
        kind: 'tensor',
        grid: input.grid,
        values,
        value: fixed.value,
        noPath,
        options: {
          ...{ steps, rule },
          ...(options.convention ? { convention: options.convention } : {}),
          ...baseline.options,
        },
        completeness: completenessOf(values, input.grid.images, difference),
      };
    };
    for (const [done, index] of scatteredOrder(steps).entries()) {
      const { alpha, weight } = points[index] ?? { alpha: 0, weight: 0 };
      const slope = await gradientOf(request, { changed: changed(alpha), seed: fixed.seed });
      noPath = slope.noPath;
      path.add(slope.values, weight);
      visited += weight;
      const share = visited / whole;
      request.report((done + 1) / steps, `${done + 1} of ${steps} steps`, () =>
        attributionOf(share),
      );
    }
    return attributionOf(1);
  },
};

/** The way from the baseline to the input, and the weighted sum of what was met on it. */
function straightPath({ tensor }: InputTensor, from: Float32Array) {
  const to = toFloat32(tensor);
  const sums = new Float64Array(to.length);
  return {
    at(alpha: number): Tensor {
      const point = new Float32Array(to.length);
      for (let i = 0; i < point.length; i++) {
        const start = from[i] ?? 0;
        point[i] = start + alpha * ((to[i] ?? 0) - start);
      }
      return tensorWith(tensor.dtype, tensor.shape, point);
    },
    add(slope: Float32Array, weight: number): void {
      for (let i = 0; i < sums.length; i++) sums[i] = (sums[i] ?? 0) + weight * (slope[i] ?? 0);
    },
    /** (x − x₀) · sum, the sum being of this share of the weights. */
    attribution(share: number): Float32Array {
      const values = new Float32Array(to.length);
      for (let i = 0; i < values.length; i++)
        values[i] = ((to[i] ?? 0) - (from[i] ?? 0)) * ((sums[i] ?? 0) / share);
      return values;
    },
  };
}

function completenessOf(
  values: Float32Array,
  images: number,
  difference: number,
): NonNullable<Attribution['completeness']> {
  let sum = 0;
  for (let i = 0; i < values.length / images; i++) sum += values[i] ?? 0;
  const gap = sum === difference ? 0 : Math.abs(sum - difference) / Math.abs(difference);
  return { sum, difference, gap };
}
