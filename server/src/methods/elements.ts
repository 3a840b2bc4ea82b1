import { UserError } from '../../../protocol/errors';
import type { DataType } from '../../../protocol/model';
import { toFloat32, toFloat64 } from '../onnx/numbers';
import type { Tensor } from '../onnx/tensor';
import type { ReadElement } from './filterBank';

/** Types whose values float32 does not hold exactly. */
const WIDE: readonly DataType[] = ['float64', 'int32', 'uint32', 'int64', 'uint64', 'complex128'];

/**
 * Gives the elements of a tensor as numbers, in C order. float32 and float64 are read in place, other types are converted once.
 * @throws UserError `unsupported` for strings; `name` is for the message.
 */
export function elementReader(tensor: Tensor, name: string): ReadElement {
  if (!ArrayBuffer.isView(tensor.data))
    throw new UserError(
      'unsupported',
      `The tensor "${name}" holds strings, which cannot be drawn.`,
    );
  const values = WIDE.includes(tensor.dtype) ? toFloat64(tensor) : toFloat32(tensor);
  return index => values[index] ?? NaN;
}
