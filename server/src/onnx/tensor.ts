import type { DataType } from '../../../protocol/model';

/** Element storage of tensors in memory. 16-bit floats are kept as bits; 4-bit and 8-bit kinds are widened when read. */
export type TensorData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array
  | readonly string[];

/**
 * A tensor in memory, C order. `data` by dtype: float16 and bfloat16 are Uint16Array bits; bool is Uint8Array of 0 and 1; int4/int2 are
 * Int8Array and uint4/uint2 Uint8Array, one element each; float8 and float4 kinds are Uint8Array codes, one element each; complex64 is
 * Float32Array and complex128 Float64Array of pairs.
 */
export interface Tensor {
  readonly dtype: DataType;
  readonly shape: readonly number[];
  readonly data: TensorData;
}

/** Number of elements of a shape; 1 for a scalar. */
export const elementCount = (shape: readonly number[]): number =>
  shape.reduce((product, size) => product * size, 1);
