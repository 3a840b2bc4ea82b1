/**
 * Numbers cross the language server's JSON channel as base64 of their bytes, never as arrays of JSON numbers.
 * Both ends have Node's Buffer, which this folder does not know, so they pass the two conversions in.
 */
type Binary = Float32Array | Uint8Array | Int32Array;

interface PackedBinary {
  readonly $binary: 'Float32Array' | 'Uint8Array' | 'Int32Array';
  readonly base64: string;
}

const isPacked = (value: object): value is PackedBinary => '$binary' in value && 'base64' in value;

const isBinary = (value: unknown): value is Binary =>
  value instanceof Float32Array || value instanceof Uint8Array || value instanceof Int32Array;

const kindOf = (value: Binary): PackedBinary['$binary'] =>
  value instanceof Float32Array
    ? 'Float32Array'
    : value instanceof Int32Array
      ? 'Int32Array'
      : 'Uint8Array';

/** Replaces every typed array inside a plain value by its packed form. */
export function packBinary(value: unknown, toBase64: (bytes: Uint8Array) => string): unknown {
  if (isBinary(value)) {
    const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    return { $binary: kindOf(value), base64: toBase64(bytes) } satisfies PackedBinary;
  }
  if (Array.isArray(value)) return value.map(item => packBinary(item, toBase64));
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, packBinary(item, toBase64)]),
    );
  return value;
}

/** The inverse of packBinary. The typed arrays own exactly sized buffers, as a page's message channel wants them. */
export function unpackBinary(value: unknown, fromBase64: (text: string) => Uint8Array): unknown {
  if (Array.isArray(value)) return value.map(item => unpackBinary(item, fromBase64));
  if (typeof value !== 'object' || value === null) return value;
  if (!isPacked(value))
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, unpackBinary(item, fromBase64)]),
    );
  const bytes = Uint8Array.from(fromBase64(value.base64));
  if (value.$binary === 'Uint8Array') return bytes;
  return value.$binary === 'Int32Array'
    ? new Int32Array(bytes.buffer)
    : new Float32Array(bytes.buffer);
}
