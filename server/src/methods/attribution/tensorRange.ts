import { toFloat32 } from '../../onnx/numbers';
import type { Tensor } from '../../onnx/tensor';

/** What the elements of a tensor span. */
export interface TensorRange {
  readonly low: number;
  readonly high: number;
  /** False where an element is NaN or infinite. */
  readonly finite: boolean;
}

const known = new WeakMap<Tensor, TensorRange>();

/** Smallest and largest element, and whether all are finite. Looked through once for a tensor, which never changes: the fed ones come again and again. */
export function rangeOfTensor(tensor: Tensor): TensorRange {
  const found = known.get(tensor);
  if (found) return found;
  let low = Infinity;
  let high = -Infinity;
  let odd = 0;
  for (const value of toFloat32(tensor)) {
    if (value < low) low = value;
    if (value > high) high = value;
    // 0 for every finite number, else NaN
    odd += value - value;
  }
  const range = { low, high, finite: odd === 0 };
  known.set(tensor, range);
  return range;
}
