import type { AttributionOptions } from '../../../../protocol/attribution';
import { UserError } from '../../../../protocol/errors';
import { toFloat32 } from '../../onnx/numbers';
import type { AttributionRequest, InputTensor } from './attributor';
import { broadcastOverBatch } from './batch';

/** Standard deviation of the blur as a share of the shorter side: nothing that a network knows is left of a picture. */
const BLUR_SHARE = 1 / 16;

/** What "nothing there" is: values in the input's layout, and how they are recorded. */
export interface Baseline {
  readonly values: Float32Array;
  readonly options: Readonly<Record<string, string | number>>;
}

/**
 * The baseline of a request: zero of the fed tensor (its mean colour where the preprocessing subtracts that), the mean of each channel of each image, a Gaussian
 * blur of the image, or a file that is fed like the input. @throws UserError `usage`, `unsupported`, `wrongShape`, and what reading the file
 * throws.
 */
export async function baselineOf(
  request: AttributionRequest,
  spec: AttributionOptions['baseline'] = { kind: 'zero' },
): Promise<Baseline> {
  const { input } = request;
  const options = { baseline: spec.kind };
  switch (spec.kind) {
    case 'zero':
      return { values: new Float32Array(toFloat32(input.tensor).length), options };
    case 'mean':
      return { values: eachPlane(input, meanOf), options };
    case 'blur': {
      const sigma = Math.min(input.grid.rows, input.grid.columns) * BLUR_SHARE;
      if (input.grid.positions < 2 || input.grid.rows < 2)
        throw new UserError(
          'unsupported',
          `The input "${input.name}" is no picture that could be blurred; choose the baseline zero or mean.`,
        );
      const blur = blurred(sigma, input.grid.rows, input.grid.columns);
      return { values: eachPlane(input, blur), options: { ...options, 'blur-sigma': sigma } };
    }
    case 'file':
      return { values: await fileValues(request, spec.path), options: { baseline: spec.path } };
  }
}

async function fileValues(
  { input, feeds, context }: AttributionRequest,
  path: string,
): Promise<Float32Array> {
  if (/\.npy$/i.test(path))
    return broadcastOverBatch(await context.readArray(path), input.tensor.shape, path);
  const feed = feeds[input.name];
  if (feed?.kind !== 'image')
    throw new UserError(
      'usage',
      `The input "${input.name}" is fed an array, so that nothing says how ${path} becomes one; give the baseline as .npy too.`,
    );
  const { tensor } = await context.preprocess(path, feed.preprocessing);
  return broadcastOverBatch(tensor, input.tensor.shape, path);
}

type PlaneChange = (plane: Float32Array) => ArrayLike<number>;

/** The input's values with each channel of each image changed; what is not on the grid stays. */
function eachPlane({ tensor, grid }: InputTensor, change: PlaneChange): Float32Array {
  const planes = Float32Array.from(grid.planes(tensor));
  const { positions } = grid;
  for (let at = 0; at < planes.length; at += positions)
    planes.set(change(planes.slice(at, at + positions)), at);
  return toFloat32(grid.unplaned(planes, tensor));
}

const meanOf: PlaneChange = plane =>
  new Float32Array(plane.length).fill(
    plane.reduce((sum, value) => sum + value, 0) / Math.max(1, plane.length),
  );

/** Separable Gaussian, cut at three standard deviations, edges clamped. */
function blurred(sigma: number, rows: number, columns: number): PlaneChange {
  const reach = Math.ceil(3 * sigma);
  const kernel = Array.from({ length: 2 * reach + 1 }, (_, i) =>
    Math.exp(-((i - reach) ** 2) / (2 * sigma * sigma)),
  );
  const total = kernel.reduce((sum, weight) => sum + weight, 0);
  const along = (
    values: Float32Array,
    lines: number,
    length: number,
    lineStep: number,
    step: number,
  ): Float32Array => {
    const out = new Float32Array(values.length);
    for (let line = 0; line < lines; line++)
      for (let i = 0; i < length; i++) {
        let sum = 0;
        for (const [k, weight] of kernel.entries()) {
          const at = Math.min(length - 1, Math.max(0, i + k - reach));
          sum += weight * (values[line * lineStep + at * step] ?? 0);
        }
        out[line * lineStep + i * step] = sum / total;
      }
    return out;
  };
  return plane => along(along(plane, rows, columns, columns, 1), columns, rows, 1, columns);
}
