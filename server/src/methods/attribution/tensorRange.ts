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

/** Smallest and largest finite element, and whether all are finite. Looked through once for a tensor, which never changes: the fed ones come again and again. */
export function rangeOfTensor(tensor: Tensor): TensorRange {
  const found = known.get(tensor);
  if (found) return found;
  const range = rangeOfValues(toFloat32(tensor));
  known.set(tensor, range);
  return range;
}

/** The same of plain values; 0 and 0 where none is finite. */
export function rangeOfValues(values: Float32Array): TensorRange {
  let low = Infinity;
  let high = -Infinity;
  let finite = true;
  for (let i = 0; i < values.length; i++) {
    const value = values[i] ?? 0;
    // 0 for every finite number, else NaN
    if (value - value !== 0) finite = false;
    else {
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  return low <= high ? { low, high, finite } : { low: 0, high: 0, finite };
}
