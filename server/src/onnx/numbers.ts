import type { DataType } from '../../../protocol/model';
import { UserError } from '../../../protocol/errors';
import { elementCount, type Tensor } from './tensor';

/**
 * How the bits of a small floating-point type become a number. `infinities`: the largest exponent is infinity and NaN, as IEEE 754 has it;
 * `nanCode` marks single codes that are NaN in types without infinities (onnx "Float stored in 8 bits").
 */
interface FloatFormat {
  readonly bits: number;
  readonly exponentBits: number;
  readonly mantissaBits: number;
  readonly bias: number;
  readonly infinities: boolean;
  readonly isNaN?: (code: number) => boolean;
}

const FORMATS = {
  float16: { bits: 16, exponentBits: 5, mantissaBits: 10, bias: 15, infinities: true },
  bfloat16: { bits: 16, exponentBits: 8, mantissaBits: 7, bias: 127, infinities: true },
  float8e4m3fn: {
    bits: 8,
    exponentBits: 4,
    mantissaBits: 3,
    bias: 7,
    infinities: false,
    isNaN: (code: number) => (code & 0x7f) === 0x7f,
  },
  float8e4m3fnuz: {
    bits: 8,
    exponentBits: 4,
    mantissaBits: 3,
    bias: 8,
    infinities: false,
    isNaN: (code: number) => code === 0x80,
  },
  float8e5m2: { bits: 8, exponentBits: 5, mantissaBits: 2, bias: 15, infinities: true },
  float8e5m2fnuz: {
    bits: 8,
    exponentBits: 5,
    mantissaBits: 2,
    bias: 16,
    infinities: false,
    isNaN: (code: number) => code === 0x80,
  },
  float4e2m1: { bits: 4, exponentBits: 2, mantissaBits: 1, bias: 1, infinities: false },
} as const satisfies Partial<Record<DataType, FloatFormat>>;

type SmallFloat = keyof typeof FORMATS;

function decodeFloat(code: number, format: FloatFormat): number {
  const { bits, exponentBits, mantissaBits, bias } = format;
  if (format.isNaN?.(code)) return NaN;
  const sign = code >>> (bits - 1) ? -1 : 1;
  const top = (1 << exponentBits) - 1;
  const exponent = (code >>> mantissaBits) & top;
  const mantissa = (code & ((1 << mantissaBits) - 1)) / (1 << mantissaBits);
  if (format.infinities && exponent === top) return mantissa === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * mantissa * 2 ** (1 - bias);
  return sign * (1 + mantissa) * 2 ** (exponent - bias);
}

const tableOf = (format: FloatFormat): Float32Array =>
  Float32Array.from({ length: 1 << format.bits }, (_, code) => decodeFloat(code, format));

/** Made when first used: 256 KiB each for the 16-bit types. */
const tables = new Map<SmallFloat | 'float8e8m0', Float32Array>();

function tableFor(dtype: SmallFloat | 'float8e8m0'): Float32Array {
  const known = tables.get(dtype);
  if (known) return known;
  const made = dtype === 'float8e8m0' ? powersOfTwo() : tableOf(FORMATS[dtype]);
  tables.set(dtype, made);
  return made;
}

/** float8e8m0 has an exponent only: 2^(code − 127), NaN for 255. */
const powersOfTwo = (): Float32Array =>
  Float32Array.from({ length: 256 }, (_, code) => (code === 255 ? NaN : 2 ** (code - 127)));

const hasTable = (dtype: DataType): dtype is SmallFloat | 'float8e8m0' =>
  dtype in FORMATS || dtype === 'float8e8m0';

/** The value of the 16 bits of an IEEE 754 half. */
export const floatFromHalf = (bits: number): number => tableFor('float16')[bits & 0xffff] ?? NaN;

const float32Scratch = new Float32Array(1);
const bitsScratch = new Uint32Array(float32Scratch.buffer);

/** The bits of the nearest IEEE 754 half, ties to even; beyond its range infinity, NaN is 0x7e00. */
export function halfFromFloat(value: number): number {
  float32Scratch[0] = value;
  const bits = bitsScratch[0] ?? 0;
  const sign = (bits >>> 16) & 0x8000;
  const exponent = (bits >>> 23) & 0xff;
  const mantissa = bits & 0x7fffff;
  if (exponent === 0xff) return mantissa === 0 ? sign | 0x7c00 : 0x7e00;
  const shifted = exponent - 112;
  if (shifted >= 31) return sign | 0x7c00;
  // a carry out of the mantissa moves into the exponent, as it should
  if (shifted > 0) return sign | roundShift((shifted << 23) | mantissa, 13);
  if (shifted < -10) return sign;
  return sign | roundShift(mantissa | 0x800000, 14 - shifted);
}

/** value / 2^shift, to nearest, ties to even. */
function roundShift(value: number, shift: number): number {
  const kept = value >>> shift;
  const rest = value & ((1 << shift) - 1);
  const half = 1 << (shift - 1);
  return rest > half || (rest === half && kept % 2 === 1) ? kept + 1 : kept;
}

/** Elements as float32, in the tensor's order; complex numbers as their magnitudes. Throws `unsupported` for texts. */
export function toFloat32(tensor: Tensor): Float32Array {
  if (tensor.dtype === 'float32' && tensor.data instanceof Float32Array) return tensor.data;
  const out = new Float32Array(elementCount(tensor.shape));
  fill(tensor, out);
  return out;
}

/** Elements as float64, in the tensor's order; complex numbers as their magnitudes. Throws `unsupported` for texts. */
export function toFloat64(tensor: Tensor): Float64Array {
  if (tensor.dtype === 'float64' && tensor.data instanceof Float64Array) return tensor.data;
  const out = new Float64Array(elementCount(tensor.shape));
  fill(tensor, out);
  return out;
}

function fill({ dtype, data }: Tensor, out: Float32Array | Float64Array): void {
  if (!ArrayBuffer.isView(data))
    throw new UserError('unsupported', 'A tensor of texts has no numbers.');
  if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
    for (let index = 0; index < out.length; index++) out[index] = Number(data[index] ?? 0n);
  } else if (hasTable(dtype)) {
    const table = tableFor(dtype);
    for (let index = 0; index < out.length; index++) out[index] = table[data[index] ?? 0] ?? NaN;
  } else if (dtype === 'complex64' || dtype === 'complex128') {
    for (let index = 0; index < out.length; index++)
      out[index] = Math.hypot(data[2 * index] ?? 0, data[2 * index + 1] ?? 0);
  } else out.set(data);
}

/** Elements as plain numbers; 64-bit integers beyond ±2^53 are clamped to it. For shapes, axes and the like. */
export function toNumbers(tensor: Tensor): number[] {
  const { data } = tensor;
  if (data instanceof BigInt64Array || data instanceof BigUint64Array)
    return Array.from(data, value => Math.max(-(2 ** 53), Math.min(2 ** 53, Number(value))));
  return Array.from(toFloat64(tensor));
}
