import { UserError } from '../../../../protocol/errors';
import { toFloat32 } from '../../onnx/numbers';
import { elementCount, type Tensor } from '../../onnx/tensor';

/** Values for an input of this shape from a file that has it, or has it for one image: then all images get the same. @throws UserError `wrongShape`. */
export function broadcastOverBatch(
  tensor: Tensor,
  shape: readonly number[],
  file: string,
): Float32Array {
  const [batch = 1, ...rest] = shape;
  const given = tensor.shape.length === rest.length ? [1, ...tensor.shape] : tensor.shape;
  const [copies = 1, ...others] = given;
  const fits =
    others.length === rest.length &&
    others.every((size, axis) => size === rest[axis]) &&
    (copies === 1 || copies === batch);
  if (!fits)
    throw new UserError(
      'wrongShape',
      `${file} has the shape [${tensor.shape.join(', ')}], but the input takes [${shape.join(', ')}].`,
    );
  return repeated(toFloat32(tensor), elementCount(shape));
}

/** Values one after the other as often as they fit into `length`. */
export function repeated(values: Float32Array, length: number): Float32Array {
  if (values.length === length) return values;
  const out = new Float32Array(length);
  for (let at = 0; at < length; at += values.length) out.set(values, at);
  return out;
}
