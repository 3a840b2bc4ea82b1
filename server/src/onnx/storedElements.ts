import { UserError } from '../../../protocol/errors';
import type { DataType } from '../../../protocol/model';
import { bitsOf, storedBytes } from './dataTypes';
import type { TensorRef } from './graph';
import { quote } from './readProto';
import { elementCount, type TensorData } from './tensor';

/** What does not fit between a tensor's bytes and its shape. */
export const wrongSize = (ref: TensorRef, found: number, needed: number): UserError =>
  new UserError(
    'brokenModel',
    `The tensor ${quote(ref.name)} has ${found} bytes where its type ${ref.dtype} and shape [${ref.shape.join(', ')}] need ${needed}.`,
  );

/** Refuses a list whose length is not what the shape says. */
export function checkedCount<T extends { readonly length: number }>(ref: TensorRef, data: T): T {
  const needed = elementCount(ref.shape);
  if (data.length === needed) return data;
  throw new UserError(
    'brokenModel',
    `The tensor ${quote(ref.name)} has ${data.length} values where its shape [${ref.shape.join(', ')}] needs ${needed}.`,
  );
}

/** Elements from bytes as `raw_data` and external files store them: little-endian, types under 8 bits packed from the low bits. */
export function fromStored(ref: TensorRef, bytes: Uint8Array): TensorData {
  const { dtype } = ref;
  const elements = elementCount(ref.shape);
  const needed = storedBytes(dtype, elements);
  if (bytes.length !== needed) throw wrongSize(ref, bytes.length, needed);
  if (bitsOf(dtype) < 8) return unpack(bytes, elements, dtype);
  return viewElements(dtype, bytes);
}

/** Widens packed elements, the first in the lowest bits (onnx.proto3, TensorProto.raw_data). */
export function unpack(
  bytes: Uint8Array,
  elements: number,
  dtype: DataType,
): Int8Array | Uint8Array {
  const bits = bitsOf(dtype);
  const perByte = 8 / bits;
  const mask = (1 << bits) - 1;
  const signed = dtype === 'int4' || dtype === 'int2';
  const out = signed ? new Int8Array(elements) : new Uint8Array(elements);
  const sign = signed ? 1 << (bits - 1) : 0;
  for (let index = 0; index < elements; index++) {
    const byte = bytes[Math.floor(index / perByte)] ?? 0;
    const code = (byte >>> (bits * (index % perByte))) & mask;
    out[index] = (code ^ sign) - sign;
  }
  return out;
}

/** A typed array over little-endian bytes; copied where they are not aligned. */
function viewElements(dtype: DataType, bytes: Uint8Array): TensorData {
  const size = bitsOf(dtype) / 8;
  const aligned = bytes.byteOffset % Math.min(size, 8) === 0 ? bytes : new Uint8Array(bytes);
  const { buffer, byteOffset } = aligned;
  const count = bytes.length / size;
  switch (dtype) {
    case 'float32':
      return new Float32Array(buffer, byteOffset, count);
    case 'float64':
      return new Float64Array(buffer, byteOffset, count);
    case 'complex64':
      return new Float32Array(buffer, byteOffset, 2 * count);
    case 'complex128':
      return new Float64Array(buffer, byteOffset, 2 * count);
    case 'int8':
      return new Int8Array(buffer, byteOffset, count);
    case 'int16':
      return new Int16Array(buffer, byteOffset, count);
    case 'int32':
      return new Int32Array(buffer, byteOffset, count);
    case 'int64':
      return new BigInt64Array(buffer, byteOffset, count);
    case 'uint16':
    case 'float16':
    case 'bfloat16':
      return new Uint16Array(buffer, byteOffset, count);
    case 'uint32':
      return new Uint32Array(buffer, byteOffset, count);
    case 'uint64':
      return new BigUint64Array(buffer, byteOffset, count);
    case 'bool':
      return aligned.map(byte => (byte === 0 ? 0 : 1));
    default:
      return aligned;
  }
}
