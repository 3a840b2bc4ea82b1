import type { TensorResult } from '../../../protocol/methods';
import { UserError } from '../../../protocol/errors';
import type { Tensor } from '../onnx/tensor';

/** A tensor as it crosses the process boundary: its bytes. @throws UserError `unsupported` for strings, which .npy files cannot hold. */
export function tensorResult(name: string, tensor: Tensor): TensorResult {
  const { data, dtype, shape } = tensor;
  if (!ArrayBuffer.isView(data))
    throw new UserError(
      'unsupported',
      `The tensor "${name}" holds strings, which have no numeric form.`,
    );
  return {
    name,
    dtype,
    shape,
    bytes: new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
  };
}
