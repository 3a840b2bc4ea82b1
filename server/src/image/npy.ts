import { UserError } from '../../../protocol/errors';
import type { DataType } from '../../../protocol/model';
import { toFloat32 } from '../onnx/numbers';
import { elementCount, type Tensor, type TensorData } from '../onnx/tensor';

/** How elements of a dtype lie in memory: NumPy's letter and size, and a view of little-endian bytes (aligned, own buffer). */
interface Form {
  readonly code: string;
  readonly dtype: DataType;
  /** Bytes of one element. */
  readonly size: number;
  /** Bytes that change places for the other byte order: half an element for complex numbers. */
  readonly unit: number;
  view(buffer: ArrayBuffer): TensorData;
}

const form = (
  code: string,
  dtype: DataType,
  size: number,
  view: (buffer: ArrayBuffer) => TensorData,
  unit = size,
): Form => ({ code, dtype, size, unit, view });

const FORMS: readonly Form[] = [
  form('f2', 'float16', 2, buffer => new Uint16Array(buffer)),
  form('f4', 'float32', 4, buffer => new Float32Array(buffer)),
  form('f8', 'float64', 8, buffer => new Float64Array(buffer)),
  form('i1', 'int8', 1, buffer => new Int8Array(buffer)),
  form('i2', 'int16', 2, buffer => new Int16Array(buffer)),
  form('i4', 'int32', 4, buffer => new Int32Array(buffer)),
  form('i8', 'int64', 8, buffer => new BigInt64Array(buffer)),
  form('u1', 'uint8', 1, buffer => new Uint8Array(buffer)),
  form('u2', 'uint16', 2, buffer => new Uint16Array(buffer)),
  form('u4', 'uint32', 4, buffer => new Uint32Array(buffer)),
  form('u8', 'uint64', 8, buffer => new BigUint64Array(buffer)),
  form('b1', 'bool', 1, buffer => new Uint8Array(buffer).map(value => (value === 0 ? 0 : 1))),
  form('c8', 'complex64', 8, buffer => new Float32Array(buffer), 4),
  form('c16', 'complex128', 16, buffer => new Float64Array(buffer), 8),
];

/** A header is a line of text; longer ones are hostile. */
const MAXIMUM_HEADER = 1 << 16;
const MAXIMUM_RANK = 64;
const MAGIC = '\x93NUMPY';

/**
 * Reads a NumPy array file (format versions 1 to 3, either byte order, C or Fortran order) into a C-order tensor. Follows
 * numpy.lib.format. Memory is bounded by the file's own size. Throws UserError `badArray`, naming the file, for anything else.
 */
export function readNpy(bytes: Uint8Array, name: string): Tensor {
  const refuse = (reason: string): UserError =>
    new UserError(
      'badArray',
      `${name} cannot be read as a NumPy array: ${reason}. Save it with numpy.save.`,
    );
  if (bytes.length < 12 || String.fromCharCode(...bytes.subarray(0, 6)) !== MAGIC)
    throw refuse('it is no .npy file');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = bytes[6] ?? 0;
  if (version < 1 || version > 3) throw refuse(`its format version ${version} is unknown`);
  const headerStart = version === 1 ? 10 : 12;
  const headerLength = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  const dataStart = headerStart + headerLength;
  if (headerLength > MAXIMUM_HEADER || dataStart > bytes.length)
    throw refuse('its header is broken');
  const header = new TextDecoder().decode(bytes.subarray(headerStart, dataStart));
  const { descr, fortran, shape } = parseHeader(header) ?? {};
  if (descr === undefined || fortran === undefined || shape === undefined)
    throw refuse('its header is broken');

  const [, order = '', code = ''] = /^([<>|=])(\w+)$/.exec(descr) ?? [];
  const kind = FORMS.find(candidate => candidate.code === code);
  if (!kind) throw refuse(`its element type ${descr.slice(0, 20)} is not read`);
  const length = elementCount(shape) * kind.size;
  if (length > bytes.length - dataStart)
    throw refuse(
      `its shape ${shape.join('×')} needs ${length} bytes but it has ${bytes.length - dataStart}`,
    );
  const data = new Uint8Array(bytes.subarray(dataStart, dataStart + length));
  if (order === '>') reverseUnits(data, kind.unit);
  const inOrder = fortran ? toCOrder(data, shape, kind.size) : data;
  return { dtype: kind.dtype, shape, data: kind.view(inOrder.buffer) };
}

interface Header {
  readonly descr: string;
  readonly fortran: boolean;
  readonly shape: readonly number[];
}

/** The Python dict literal that numpy writes, keys in any order; null where one is missing. */
function parseHeader(text: string): Header | null {
  const descr = /['"]descr['"]\s*:\s*['"]([^'"]{2,20})['"]/.exec(text)?.[1];
  const order = /['"]fortran_order['"]\s*:\s*(True|False)/.exec(text)?.[1];
  const list = /['"]shape['"]\s*:\s*\(([\d\s,L]*)\)/.exec(text)?.[1];
  if (descr === undefined || order === undefined || list === undefined) return null;
  const shape = list
    .split(',')
    .map(size => size.replace('L', '').trim())
    .filter(size => size !== '')
    .map(Number);
  if (shape.length > MAXIMUM_RANK || !shape.every(Number.isSafeInteger)) return null;
  if (!Number.isSafeInteger(elementCount(shape.map(size => Math.max(1, size))))) return null;
  return { descr, fortran: order === 'True', shape };
}

function reverseUnits(bytes: Uint8Array, unit: number): void {
  for (let i = 0; unit > 1 && i < bytes.length; i += unit) bytes.subarray(i, i + unit).reverse();
}

/** First index fastest → last index fastest. */
function toCOrder(
  source: Uint8Array,
  shape: readonly number[],
  size: number,
): Uint8Array<ArrayBuffer> {
  const target = new Uint8Array(source.length);
  const strides = shape.map((_, axis) => elementCount(shape.slice(0, axis)));
  const index = shape.map(() => 0);
  for (let at = 0; at < source.length; at += size) {
    const from =
      index.reduce((sum, position, axis) => sum + position * (strides[axis] ?? 0), 0) * size;
    target.set(source.subarray(from, from + size), at);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      index[axis] = (index[axis] ?? 0) + 1;
      if ((index[axis] ?? 0) < (shape[axis] ?? 0)) break;
      index[axis] = 0;
    }
  }
  return target;
}

/** What became of a tensor whose element type NumPy does not have; empty where nothing changed. */
export interface NpyFile {
  readonly bytes: Uint8Array;
  readonly note: string;
}

/** Element types without a NumPy counterpart, and what they are written as. */
const STAND_INS: Partial<Record<DataType, { readonly code: string; readonly note: string }>> = {
  int4: { code: 'i1', note: 'int4 is written as int8.' },
  int2: { code: 'i1', note: 'int2 is written as int8.' },
  uint4: { code: 'u1', note: 'uint4 is written as uint8.' },
  uint2: { code: 'u1', note: 'uint2 is written as uint8.' },
};

/**
 * Writes a tensor as NumPy format 1.0, little-endian, C order. bfloat16 is widened to float32 and 4- and 2-bit integers to 8 bits; 8-bit
 * and 4-bit floats are written as their uint8 codes; strings as fixed-width Unicode. `note` says so.
 */
export function writeNpy(tensor: Tensor): NpyFile {
  const { dtype, shape, data } = tensor;
  if (isStrings(data)) return writeStrings(data, shape);
  if (dtype === 'bfloat16')
    return {
      bytes: assemble('<f4', shape, bytesOf(toFloat32(tensor))),
      note: 'bfloat16 is written as float32, without loss.',
    };
  const standIn =
    STAND_INS[dtype] ??
    (dtype.startsWith('float8') || dtype.startsWith('float4')
      ? { code: 'u1', note: `${dtype} is written as its codes in uint8.` }
      : undefined);
  const code = standIn?.code ?? FORMS.find(candidate => candidate.dtype === dtype)?.code;
  if (code === undefined) throw new Error(`no NumPy type for ${dtype}`);
  const byteOrder = code.endsWith('1') && code.length === 2 ? '|' : '<';
  return {
    bytes: assemble(`${byteOrder}${code}`, shape, bytesOf(data)),
    note: standIn?.note ?? '',
  };
}

const isStrings = (data: TensorData): data is readonly string[] => Array.isArray(data);

const bytesOf = (data: ArrayBufferView): Uint8Array =>
  new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

function writeStrings(values: readonly string[], shape: readonly number[]): NpyFile {
  const points = values.map(value => Array.from(value, character => character.codePointAt(0) ?? 0));
  const width = points.reduce((longest, value) => Math.max(longest, value.length), 1);
  const cells = new Uint32Array(values.length * width);
  for (const [row, value] of points.entries()) cells.set(value, row * width);
  return { bytes: assemble(`<U${width}`, shape, bytesOf(cells)), note: '' };
}

/** Magic, version 1.0, the header padded so that the data starts at a multiple of 64, the data. */
function assemble(descr: string, shape: readonly number[], data: Uint8Array): Uint8Array {
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${sizes}), }`;
  const headerLength = Math.ceil((10 + header.length + 1) / 64) * 64 - 10;
  const bytes = new Uint8Array(10 + headerLength + data.length);
  bytes.set(Buffer.from(MAGIC, 'latin1'));
  bytes.set([1, 0, headerLength & 0xff, headerLength >> 8], 6);
  bytes.set(Buffer.from(`${header.padEnd(headerLength - 1)}\n`, 'latin1'), 10);
  bytes.set(data, 10 + headerLength);
  return bytes;
}
