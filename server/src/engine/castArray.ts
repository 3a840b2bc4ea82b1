import { UserError } from '../../../protocol/errors';
import type { DataType } from '../../../protocol/model';
import { halfFromFloat, toFloat64 } from '../onnx/numbers';
import type { Tensor, TensorData } from '../onnx/tensor';

type IntegerType =
  'int8' | 'int16' | 'int32' | 'int64' | 'uint8' | 'uint16' | 'uint32' | 'uint64' | 'bool';

interface IntegerKind {
  readonly low: number;
  readonly high: number;
  make(values: Float64Array): TensorData;
}

const LARGEST = Number.MAX_SAFE_INTEGER;

const INTEGERS: Readonly<Record<IntegerType, IntegerKind>> = {
  int8: { low: -128, high: 127, make: values => Int8Array.from(values) },
  int16: { low: -32768, high: 32767, make: values => Int16Array.from(values) },
  int32: { low: -(2 ** 31), high: 2 ** 31 - 1, make: values => Int32Array.from(values) },
  int64: { low: -LARGEST, high: LARGEST, make: values => BigInt64Array.from(bigints(values)) },
  uint8: { low: 0, high: 255, make: values => Uint8Array.from(values) },
  uint16: { low: 0, high: 65535, make: values => Uint16Array.from(values) },
  uint32: { low: 0, high: 2 ** 32 - 1, make: values => Uint32Array.from(values) },
  uint64: { low: 0, high: LARGEST, make: values => BigUint64Array.from(bigints(values)) },
  bool: { low: 0, high: 1, make: values => Uint8Array.from(values) },
};

/**
 * An array in the element type of a graph input. Floats are rounded to the nearest; to an integer type only whole numbers in its range
 * go. `file` and `input` are for messages. Throws `badArray`.
 */
export function castArray(tensor: Tensor, dtype: DataType, file: string, input: string): Tensor {
  if (tensor.dtype === dtype) return tensor;
  const impossible = (reason: string): UserError =>
    new UserError(
      'badArray',
      `${file} holds ${tensor.dtype}, but the input "${input}" takes ${dtype}${reason}.`,
    );
  if (tensor.dtype === 'string') throw impossible('');
  const { shape } = tensor;
  const values = toFloat64(tensor);
  if (dtype === 'float32') return { dtype, shape, data: Float32Array.from(values) };
  if (dtype === 'float64') return { dtype, shape, data: values };
  if (dtype === 'float16') return { dtype, shape, data: Uint16Array.from(values, halfFromFloat) };
  if (!isInteger(dtype)) throw impossible('');
  const { low, high, make } = INTEGERS[dtype];
  const wrong = values.find(value => !Number.isInteger(value) || value < low || value > high);
  if (wrong !== undefined) throw impossible(`, which cannot hold ${wrong}`);
  return { dtype, shape, data: make(values) };
}

/** All elements the same small whole number; strings are empty. */
export function constantArray(dtype: DataType, shape: readonly number[], value: number): Tensor {
  const count = shape.reduce((product, size) => product * size, 1);
  if (dtype === 'string') return { dtype, shape, data: new Array<string>(count).fill('') };
  const values = new Float64Array(count).fill(value);
  return castArray({ dtype: 'float64', shape, data: values }, dtype, 'the default', '');
}

const isInteger = (dtype: DataType): dtype is IntegerType => Object.hasOwn(INTEGERS, dtype);

const bigints = (values: Float64Array): bigint[] => Array.from(values, BigInt);
