import type { DataType } from '../../../protocol/model';
import { UserError } from '../../../protocol/errors';
import { halfFromFloat, toFloat64 } from './numbers';
import { elementCount, type Tensor, type TensorData } from './tensor';

/** The operators that stand between a stored weight and where it is used, computed on tensors in memory (C order). */

/** The same elements in another shape. */
export const withShape = (tensor: Tensor, shape: readonly number[]): Tensor => ({
  ...tensor,
  shape,
});

/** ONNX Cast: to nearest for floats, toward zero for integers. Throws `unsupported` for types that no weight is cast to. */
export function cast(tensor: Tensor, dtype: DataType): Tensor {
  return tensor.dtype === dtype ? tensor : fromNumbers(toFloat64(tensor), tensor.shape, dtype);
}

/** A tensor of `dtype` from numbers, rounded once. */
export function fromNumbers(
  values: Float64Array,
  shape: readonly number[],
  dtype: DataType,
): Tensor {
  return { dtype, shape, data: convert(values, dtype) };
}

function convert(values: Float64Array, dtype: DataType): TensorData {
  switch (dtype) {
    case 'float64':
      return values;
    case 'float32':
      return Float32Array.from(values);
    case 'float16':
      return Uint16Array.from(values, halfFromFloat);
    case 'bfloat16':
      return Uint16Array.from(values, bfloat16FromFloat);
    case 'int8':
      return Int8Array.from(values);
    case 'int16':
      return Int16Array.from(values);
    case 'int32':
      return Int32Array.from(values);
    case 'uint8':
      return Uint8Array.from(values);
    case 'uint16':
      return Uint16Array.from(values);
    case 'uint32':
      return Uint32Array.from(values);
    case 'bool':
      return Uint8Array.from(values, value => (value === 0 ? 0 : 1));
    case 'int64':
      return BigInt64Array.from(values, whole);
    case 'uint64':
      return BigUint64Array.from(values, whole);
    default:
      throw new UserError('unsupported', `Constants of type ${dtype} are not computed.`);
  }
}

const whole = (value: number): bigint => (Number.isFinite(value) ? BigInt(Math.trunc(value)) : 0n);

const floatScratch = new Float32Array(1);
const bitsScratch = new Uint32Array(floatScratch.buffer);

function bfloat16FromFloat(value: number): number {
  floatScratch[0] = value;
  const bits = bitsScratch[0] ?? 0;
  if (Number.isNaN(value)) return 0x7fc0;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

export interface Quantization {
  readonly scale: Tensor;
  readonly zeroPoint: Tensor | null;
  readonly axis: number;
  /** 0 where scales are not per block. */
  readonly blockSize: number;
}

/** How finely a tensor is quantised: one scale, one for each index of the axis, or one for each block along it. */
export function granularity(
  shape: readonly number[],
  scaleShape: readonly number[],
  blockSize: number,
): 'tensor' | 'axis' | 'block' {
  if (elementCount(scaleShape) === 1) return 'tensor';
  return blockSize > 0 && scaleShape.length === shape.length ? 'block' : 'axis';
}

/** Calls `visit` with each element's position and the position of its scale. */
function eachScale(
  shape: readonly number[],
  { scale, axis, blockSize }: Quantization,
  visit: (element: number, scale: number) => void,
): void {
  const kind = granularity(shape, scale.shape, blockSize);
  const at = axis < 0 ? axis + shape.length : axis;
  const length = shape[at] ?? 1;
  const inner = elementCount(shape.slice(at + 1));
  const outer = elementCount(shape.slice(0, at));
  const perAxis = kind === 'block' ? (scale.shape[at] ?? 1) : length;
  const expected = { tensor: 1, axis: length, block: outer * perAxis * inner }[kind];
  const blocksFit = kind !== 'block' || perAxis === Math.ceil(length / blockSize);
  if (elementCount(scale.shape) !== expected || !blocksFit)
    throw new UserError('brokenModel', 'The scales of a quantised weight do not fit its shape.');
  let element = 0;
  for (let o = 0; o < outer; o++)
    for (let a = 0; a < length; a++) {
      const row = kind === 'block' ? (o * perAxis + Math.floor(a / blockSize)) * inner : a;
      for (let i = 0; i < inner; i++) {
        const index = kind === 'block' ? row + i : kind === 'axis' ? row : 0;
        visit(element++, index);
      }
    }
}

/**
 * ONNX DequantizeLinear: (x − zero point) · scale, of the scale's type; per tensor, per axis or per block. Throws `brokenModel` where the
 * scales do not fit.
 */
export function dequantizeLinear(x: Tensor, quantization: Quantization): Tensor {
  const values = toFloat64(x);
  const scales = toFloat64(quantization.scale);
  const zeros = quantization.zeroPoint ? toFloat64(quantization.zeroPoint) : null;
  const out = new Float64Array(values.length);
  eachScale(x.shape, quantization, (element, index) => {
    const centred = Math.fround((values[element] ?? 0) - (zeros?.[index] ?? 0));
    out[element] = centred * (scales[index] ?? NaN);
  });
  return fromNumbers(out, x.shape, quantization.scale.dtype);
}

const RANGES: Readonly<Partial<Record<DataType, readonly [number, number]>>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
  uint16: [0, 65535],
  int4: [-8, 7],
  uint4: [0, 15],
  int2: [-2, 1],
  uint2: [0, 3],
};

/** ONNX QuantizeLinear to an integer type: saturate(round(x / scale) + zero point), ties to even. Throws `unsupported` for other types. */
export function quantizeLinear(x: Tensor, quantization: Quantization, dtype: DataType): Tensor {
  const range = RANGES[dtype];
  if (!range) throw new UserError('unsupported', `Constants of type ${dtype} are not computed.`);
  const [low, high] = range;
  const values = toFloat64(x);
  const scales = toFloat64(quantization.scale);
  const zeros = quantization.zeroPoint ? toFloat64(quantization.zeroPoint) : null;
  const out = new Float64Array(values.length);
  eachScale(x.shape, quantization, (element, index) => {
    const ratio = Math.fround((values[element] ?? 0) / (scales[index] ?? NaN));
    out[element] = Math.min(high, Math.max(low, roundHalfEven(ratio) + (zeros?.[index] ?? 0)));
  });
  const data =
    low < 0 ? (high > 127 ? Int16Array : Int8Array) : high > 255 ? Uint16Array : Uint8Array;
  return { dtype, shape: x.shape, data: data.from(out) };
}

function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor;
}

/** ONNX Transpose: axis i of the result is axis `permutation[i]` of the tensor. */
export function transpose(tensor: Tensor, permutation: readonly number[]): Tensor {
  const { data, dtype } = tensor;
  if (!ArrayBuffer.isView(data) || data.length !== elementCount(tensor.shape))
    throw new UserError('unsupported', `Constants of type ${dtype} are not transposed.`);
  const shape = permutation.map(axis => tensor.shape[axis] ?? 1);
  const strides = tensor.shape.map((_, axis) => elementCount(tensor.shape.slice(axis + 1)));
  const steps = permutation.map(axis => strides[axis] ?? 0);
  const from = offsets(shape, steps);
  if (data instanceof BigInt64Array || data instanceof BigUint64Array)
    return { dtype, shape, data: data.map((_, index) => data[from[index] ?? 0] ?? 0n) };
  return { dtype, shape, data: data.map((_, index) => data[from[index] ?? 0] ?? 0) };
}

/** The position of each element, in C order of `shape`, in an array with these steps; 0 steps repeat. */
function offsets(shape: readonly number[], steps: readonly number[]): Uint32Array {
  const out = new Uint32Array(elementCount(shape));
  let block = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const size = shape[axis] ?? 1;
    const step = steps[axis] ?? 0;
    for (let copy = 1; copy < size; copy++)
      for (let index = 0; index < block; index++)
        out[copy * block + index] = (out[index] ?? 0) + copy * step;
    block *= size;
  }
  return out;
}

export type Arithmetic = 'Add' | 'Sub' | 'Mul' | 'Div';

const FORMULA: Readonly<Record<Arithmetic, (a: number, b: number) => number>> = {
  Add: (a, b) => a + b,
  Sub: (a, b) => a - b,
  Mul: (a, b) => a * b,
  Div: (a, b) => a / b,
};

/** The shape that two shapes broadcast to (ONNX Broadcasting.md); null where they do not. */
export function broadcastShape(a: readonly number[], b: readonly number[]): number[] | null {
  const rank = Math.max(a.length, b.length);
  const out: number[] = [];
  for (let axis = 0; axis < rank; axis++) {
    const left = a[axis - rank + a.length] ?? 1;
    const right = b[axis - rank + b.length] ?? 1;
    if (left !== right && left !== 1 && right !== 1) return null;
    out.push(left === 1 ? right : left);
  }
  return out;
}

/** ONNX Add, Sub, Mul and Div on floats, rounded once to the type of `a`. `shape` is what the two shapes broadcast to. */
export function arithmetic(op: Arithmetic, a: Tensor, b: Tensor, shape: readonly number[]): Tensor {
  const left = toFloat64(a);
  const right = toFloat64(b);
  const fromLeft = offsets(shape, broadcastSteps(a.shape, shape));
  const fromRight = offsets(shape, broadcastSteps(b.shape, shape));
  const formula = FORMULA[op];
  const out = Float64Array.from(fromLeft, (from, index) =>
    formula(left[from] ?? NaN, right[fromRight[index] ?? 0] ?? NaN),
  );
  return fromNumbers(out, shape, a.dtype);
}

function broadcastSteps(shape: readonly number[], to: readonly number[]): number[] {
  const lead = to.length - shape.length;
  return to.map((_, axis) => {
    const own = axis - lead;
    return own < 0 || shape[own] === 1 ? 0 : elementCount(shape.slice(own + 1));
  });
}
