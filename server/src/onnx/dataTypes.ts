import type { DataType } from '../../../protocol/model';

/** TensorProto.DataType by number (onnx.proto3). */
const BY_CODE: readonly DataType[] = [
  'undefined',
  'float32',
  'uint8',
  'int8',
  'uint16',
  'int16',
  'int32',
  'int64',
  'string',
  'bool',
  'float16',
  'float64',
  'uint32',
  'uint64',
  'complex64',
  'complex128',
  'bfloat16',
  'float8e4m3fn',
  'float8e4m3fnuz',
  'float8e5m2',
  'float8e5m2fnuz',
  'uint4',
  'int4',
  'float4e2m1',
  'float8e8m0',
  'uint2',
  'int2',
];

/** `undefined` for numbers that this project does not know. */
export const dataTypeOf = (code: number): DataType => BY_CODE[code] ?? 'undefined';

export const codeOf = (dtype: DataType): number => BY_CODE.indexOf(dtype);

const BITS: Readonly<Record<DataType, number>> = {
  float32: 32,
  float64: 64,
  float16: 16,
  bfloat16: 16,
  int8: 8,
  int16: 16,
  int32: 32,
  int64: 64,
  uint8: 8,
  uint16: 16,
  uint32: 32,
  uint64: 64,
  int4: 4,
  uint4: 4,
  int2: 2,
  uint2: 2,
  bool: 8,
  string: 0,
  complex64: 64,
  complex128: 128,
  float8e4m3fn: 8,
  float8e4m3fnuz: 8,
  float8e5m2: 8,
  float8e5m2fnuz: 8,
  float8e8m0: 8,
  float4e2m1: 4,
  undefined: 0,
};

/** Bits of one element as a file stores it; 0 for strings and unknown types. */
export const bitsOf = (dtype: DataType): number => BITS[dtype];

/** Bytes that a file stores for so many elements; types under 8 bits are packed, the last byte filled up. */
export const storedBytes = (dtype: DataType, elements: number): number =>
  Math.ceil((elements * bitsOf(dtype)) / 8);
