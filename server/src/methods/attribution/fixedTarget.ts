import { toFloat64 } from '../../onnx/numbers';
import type { Tensor } from '../../onnx/tensor';
import type { AttributionRequest } from './attributor';
import type { Seed } from './derivatives';

/** A target that stays the same for other inputs: each image's highest class is that of the input as it is fed. */
export interface FixedTarget {
  /** The target tensor for the input as it is fed. */
  readonly value: Tensor;
  readonly seed: Extract<Seed, { kind: 'weights' }>;
  /** Score of each image for the input as it is fed. */
  readonly scores: Float64Array;
  /**
   * Score of each image, from the target tensor of another run. Where the target's first axis does not count the images, all have the score
   * of the whole.
   */
  scoresOf(value: Tensor): Float64Array;
}

/** Fixes the target of a request. Throws what a run throws. */
export async function fixedTarget({
  derivatives,
  target,
  input,
}: AttributionRequest): Promise<FixedTarget> {
  const value = (await derivatives.values([target.tensor])).get(target.tensor);
  if (!value) throw new Error(`the run gave no ${target.tensor}`);
  const weights = target.seed.kind === 'weights' ? target.seed.values : highestOf(value);
  const { images } = input.grid;
  const scoresOf = (other: Tensor): Float64Array => scored(other, weights, images);
  return { value, seed: { kind: 'weights', values: weights }, scores: scoresOf(value), scoresOf };
}

/** One at the first highest element of each image. */
function highestOf(value: Tensor): Float32Array {
  const elements = toFloat64(value);
  const weights = new Float32Array(elements.length);
  const perImage = elements.length / (value.shape[0] ?? 1);
  for (let start = 0; start < elements.length; start += perImage) {
    let best = start;
    for (let i = start; i < start + perImage; i++)
      if ((elements[i] ?? 0) > (elements[best] ?? 0)) best = i;
    weights[best] = 1;
  }
  return weights;
}

function scored(value: Tensor, weights: Float32Array, images: number): Float64Array {
  const elements = toFloat64(value);
  const parts = value.shape[0] === images ? images : 1;
  const perPart = elements.length / parts;
  return Float64Array.from({ length: images }, (_, image) => {
    const start = parts === 1 ? 0 : image * perPart;
    let score = 0;
    for (let i = start; i < start + perPart; i++) {
      const weight = weights[i] ?? 0;
      if (weight !== 0) score += weight * (elements[i] ?? 0);
    }
    return score;
  });
}
