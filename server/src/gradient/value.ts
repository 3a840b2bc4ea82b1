import type { DataType } from '../../../protocol/model';

/** A tensor of the graph that is being written: its name, and what it will be when the graph runs. All sizes are known. */
export interface Value {
  readonly name: string;
  readonly dtype: DataType;
  readonly shape: readonly number[];
}

export const isFloat = (dtype: DataType): boolean => dtype === 'float32' || dtype === 'float64';

/** Types of the values between QuantizeLinear and DequantizeLinear: what flows back through them is a float32 estimate. */
const QUANTISED: readonly DataType[] = ['int8', 'uint8', 'int16', 'uint16', 'int32'];

/** The type of the gradient with respect to a tensor of this type; null where there is none (indices, masks, text). */
export function gradientType(dtype: DataType): DataType | null {
  if (isFloat(dtype)) return dtype;
  return QUANTISED.includes(dtype) ? 'float32' : null;
}

/** Number of elements. */
export const countOf = (value: Value): number =>
  value.shape.reduce((product, size) => product * size, 1);
