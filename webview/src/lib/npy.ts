const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0];

/** NumPy type strings of the element types whose bytes .npy can hold as they are. */
const TYPES: Readonly<Record<string, string>> = {
  float32: '<f4',
  float64: '<f8',
  float16: '<f2',
  int8: '|i1',
  int16: '<i2',
  int32: '<i4',
  int64: '<i8',
  uint8: '|u1',
  uint16: '<u2',
  uint32: '<u4',
  uint64: '<u8',
  bool: '|b1',
  complex64: '<c8',
  complex128: '<c16',
};

/** Whether a tensor of this type can be written by `encodeNpy`. */
export const hasNpyType = (dtype: string): boolean => Object.hasOwn(TYPES, dtype);

/**
 * A .npy file, format 1.0 of numpy.lib.format: little-endian, C order, header padded so that the data starts at a multiple of 64.
 * @throws Error for a type that NumPy has no name for.
 */
export function encodeNpy(dtype: string, shape: readonly number[], bytes: Uint8Array): Uint8Array {
  const descr = TYPES[dtype];
  if (descr === undefined) throw new Error(`.npy has no type ${dtype}`);
  const tuple = shape.length === 1 ? `(${shape.join('')},)` : `(${shape.join(', ')})`;
  const dictionary = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${tuple}, }`;
  const prefix = MAGIC.length + 2;
  const padded = Math.ceil((prefix + dictionary.length + 1) / 64) * 64;
  const header = `${dictionary.padEnd(padded - prefix - 1)}\n`;
  const file = new Uint8Array(padded + bytes.length);
  file.set(MAGIC);
  new DataView(file.buffer).setUint16(MAGIC.length, header.length, true);
  file.set(new TextEncoder().encode(header), prefix);
  file.set(bytes, padded);
  return file;
}
