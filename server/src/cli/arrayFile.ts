import type { TensorResult } from '../../../protocol/methods';
import { UserError } from '../../../protocol/errors';
import { writeNpy, type NpyFile } from '../image/npy';
import { toFloat64 } from '../onnx/numbers';
import type { Tensor, TensorData } from '../onnx/tensor';

/** A tensor that came over the process boundary as bytes. */
export function tensorOf({ dtype, shape, bytes }: TensorResult): Tensor {
  // A view needs an aligned start; messages are not.
  const { buffer } = new Uint8Array(bytes);
  return { dtype, shape, data: viewOf(dtype, buffer) };
}

function viewOf(dtype: TensorResult['dtype'], buffer: ArrayBuffer): TensorData {
  switch (dtype) {
    case 'float32':
    case 'complex64':
      return new Float32Array(buffer);
    case 'float64':
    case 'complex128':
      return new Float64Array(buffer);
    case 'float16':
    case 'bfloat16':
    case 'uint16':
      return new Uint16Array(buffer);
    case 'int8':
    case 'int4':
    case 'int2':
      return new Int8Array(buffer);
    case 'int16':
      return new Int16Array(buffer);
    case 'int32':
      return new Int32Array(buffer);
    case 'int64':
      return new BigInt64Array(buffer);
    case 'uint32':
      return new Uint32Array(buffer);
    case 'uint64':
      return new BigUint64Array(buffer);
    case 'string':
    case 'undefined':
      throw new UserError('unsupported', `A tensor of type ${dtype} cannot be written as .npy.`);
    default:
      return new Uint8Array(buffer);
  }
}

/** The .npy file of a tensor, and the range of its finite values (null where there are none). */
export function arrayFile(
  result: TensorResult,
): NpyFile & { readonly range: readonly [number, number] | null } {
  const tensor = tensorOf(result);
  let minimum = Infinity;
  let maximum = -Infinity;
  for (const value of toFloat64(tensor)) {
    if (!Number.isFinite(value)) continue;
    minimum = Math.min(minimum, value);
    maximum = Math.max(maximum, value);
  }
  return { ...writeNpy(tensor), range: minimum <= maximum ? [minimum, maximum] : null };
}
