import type { NoiseReduction } from '../../../../protocol/attribution';
import { UserError } from '../../../../protocol/errors';
import { toFloat32 } from '../../onnx/numbers';
import { elementCount } from '../../onnx/tensor';
import type { Attribution, AttributionRequest, Attributor } from './attributor';
import { broadcastOverBatch, repeated } from './batch';
import { tensorWith } from './derivatives';
import { fixedTarget } from './fixedTarget';
import { gradientOf } from './inputGradient';
import { amountOption, wholeOption } from './optionValues';
import { randomNumbers } from './randomNumbers';

const SAMPLES = 25;
const MOST_SAMPLES = 10_000;
const SIGMA = 0.15;
const MOST_SEED = 2 ** 32 - 1;

/**
 * SmoothGrad (Smilkov et al. 2017, arXiv 1706.03825): the gradient at x + noise, reduced over the samples by its mean, the mean of its absolute
 * values, the mean of its squares (Hooker et al. 2019, arXiv 1806.10758), or its variance (VarGrad, Adebayo et al. 2018, arXiv 1810.03292; over n, as captum's
 * `vargrad`). The noise is normal with a standard deviation of `sigma` times max − min of each image as it is fed (captum takes
 * the deviation itself), the same numbers for all images of a batch; or it comes from a file.
 */
export const smoothGrad: Attributor = {
  name: 'smooth-grad',
  async attribute(request) {
    const { input, options } = request;
    const reduce = options.reduce ?? 'mean';
    const noise = await noiseOf(request);
    const fixed = await fixedTarget(request);
    const { dtype, shape } = input.tensor;
    const x = toFloat32(input.tensor);
    const sums = new Float64Array(x.length);
    const squares = new Float64Array(x.length);
    let noPath = false;
    const attributionOf = (samples: number): Attribution => ({
      kind: 'tensor',
      grid: input.grid,
      values: reduced(reduce, sums, squares, samples),
      value: fixed.value,
      noPath,
      options: { samples: noise.samples, reduce, ...noise.options },
    });
    for (let sample = 1; sample <= noise.samples; sample++) {
      const noisy = noise.next();
      for (let i = 0; i < noisy.length; i++) noisy[i] = (noisy[i] ?? 0) + (x[i] ?? 0);
      const slope = await gradientOf(request, {
        changed: new Map([[input.name, tensorWith(dtype, shape, noisy)]]),
        seed: fixed.seed,
      });
      noPath = slope.noPath;
      for (let i = 0; i < sums.length; i++) {
        const value = slope.values[i] ?? 0;
        sums[i] = (sums[i] ?? 0) + (reduce === 'mean-abs' ? Math.abs(value) : value);
        squares[i] = (squares[i] ?? 0) + value * value;
      }
      request.report(sample / noise.samples, `${sample} of ${noise.samples} samples`, () =>
        attributionOf(sample),
      );
    }
    return attributionOf(noise.samples);
  },
};

function reduced(
  how: NoiseReduction,
  sums: Float64Array,
  squares: Float64Array,
  samples: number,
): Float32Array {
  const values = new Float32Array(sums.length);
  for (let i = 0; i < values.length; i++) {
    const mean = (sums[i] ?? 0) / samples;
    const meanSquare = (squares[i] ?? 0) / samples;
    const variance = Math.max(0, meanSquare - mean * mean);
    values[i] = how === 'square' ? meanSquare : how === 'variance' ? variance : mean;
  }
  return values;
}

interface Noise {
  readonly samples: number;
  readonly options: Readonly<Record<string, string | number>>;
  /** The next sample's, of the input's layout; the caller's to change. */
  next(): Float32Array;
}

async function noiseOf(request: AttributionRequest): Promise<Noise> {
  return request.options.noise === undefined
    ? seededNoise(request)
    : noiseFile(request, request.options.noise);
}

function seededNoise({ input, options }: AttributionRequest): Noise {
  const samples = wholeOption('samples', options.samples, SAMPLES, 1, MOST_SAMPLES);
  const sigma = amountOption('sigma', options.sigma, SIGMA, 0, 10);
  const seed = wholeOption('seed', options.seed, 0, 0, MOST_SEED);
  const random = randomNumbers(seed);
  const x = toFloat32(input.tensor);
  const perImage = x.length / input.grid.images;
  const deviations = Array.from({ length: input.grid.images }, (_, image) => {
    const values = x.subarray(image * perImage, (image + 1) * perImage);
    return sigma * rangeOf(values);
  });
  return {
    samples,
    options: { sigma, seed },
    next: () => {
      const noise = new Float32Array(x.length);
      for (let i = 0; i < perImage; i++) {
        const unit = random.normal();
        for (const [image, deviation] of deviations.entries())
          noise[image * perImage + i] = unit * deviation;
      }
      return noise;
    },
  };
}

function rangeOf(values: Float32Array): number {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return high - low;
}

async function noiseFile(
  { input, context, options }: AttributionRequest,
  file: string,
): Promise<Noise> {
  const array = await context.readArray(file);
  const [samples = 0, ...shape] = array.shape;
  const wanted = wholeOption('samples', options.samples, samples, 1, MOST_SAMPLES);
  if (wanted > samples)
    throw new UserError('wrongShape', `${file} holds ${samples} samples of noise, not ${wanted}.`);
  const values = toFloat32(array);
  const size = elementCount(shape);
  const sampleAt = (index: number): Float32Array =>
    values.subarray(index * size, (index + 1) * size);
  const one = { dtype: 'float32', shape, data: sampleAt(0) } as const;
  broadcastOverBatch(one, input.tensor.shape, file);
  let at = 0;
  return {
    samples: wanted,
    options: { noise: file },
    next: () => repeated(sampleAt(at++), elementCount(input.tensor.shape)).slice(),
  };
}
