import { channelCam, type TriedLayer } from './channelCam';
import { maskedInput, type MaskedInput } from './maskedInput';

const EPSILON = 1e-8;

/**
 * Score-CAM (Wang et al. 2020, arXiv 1910.01279, in the form of pytorch-grad-cam): each channel of A, enlarged to the input (bilinear, corners
 * aligned) and min-max scaled with 1e-8 in the denominator, is multiplied into the input; w = softmax over the channels of the target's value for
 * each of these; map = Σ_c w_c A_c. Where not all channels are used, the softmax is over those that are.
 */
export const scoreCam = channelCam('score-cam', {
  prepare({ derivatives, target, input }, layer) {
    const masked = maskedInput(input);
    const run = (channels: readonly number[]): ReturnType<typeof derivatives.valueFor> => {
      const mask = channelMask(layer, channels, masked);
      return derivatives.valueFor(target.tensor, new Map([[input.name, masked.with(mask)]]));
    };
    return Promise.resolve(run);
  },
  weights: softmax,
});

/** One channel of each image as mask of the input, [images, rows, columns]. */
function channelMask(
  { grid, planes }: TriedLayer,
  chosen: readonly number[],
  masked: MaskedInput,
): Float32Array {
  const { channels, positions, rows, columns } = grid;
  const size = masked.rows * masked.columns;
  const mask = new Float32Array(chosen.length * size);
  for (const [image, channel] of chosen.entries()) {
    const start = (image * channels + channel) * positions;
    const plane = planes.subarray(start, start + positions);
    const large = enlarged(plane, rows, columns, masked.rows, masked.columns);
    let low = Infinity;
    let high = -Infinity;
    for (const value of large) {
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
    const range = high - low + EPSILON;
    for (let i = 0; i < size; i++) mask[image * size + i] = ((large[i] ?? 0) - low) / range;
  }
  return mask;
}

/** Bilinear with aligned corners, as `torch.nn.UpsamplingBilinear2d`: output i lies at i · (in − 1) / (out − 1). */
function enlarged(
  plane: Float32Array,
  rows: number,
  columns: number,
  outRows: number,
  outColumns: number,
): Float64Array {
  const vertical = taps(rows, outRows);
  const horizontal = taps(columns, outColumns);
  const out = new Float64Array(outRows * outColumns);
  let at = 0;
  for (const y of vertical)
    for (const x of horizontal) {
      const value = (row: number, column: number): number => plane[row * columns + column] ?? 0;
      const upper = value(y.low, x.low) * (1 - x.weight) + value(y.low, x.high) * x.weight;
      const lower = value(y.high, x.low) * (1 - x.weight) + value(y.high, x.high) * x.weight;
      out[at++] = upper * (1 - y.weight) + lower * y.weight;
    }
  return out;
}

function taps(input: number, output: number): { low: number; high: number; weight: number }[] {
  const step = output > 1 ? (input - 1) / (output - 1) : 0;
  return Array.from({ length: output }, (_, i) => {
    const low = Math.min(input - 1, Math.floor(i * step));
    return { low, high: Math.min(input - 1, low + 1), weight: i * step - low };
  });
}

function softmax(scores: readonly number[]): number[] {
  const most = scores.reduce((a, b) => Math.max(a, b), -Infinity);
  const powers = scores.map(score => Math.exp(score - most));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map(power => power / total);
}
