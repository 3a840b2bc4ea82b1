import { UserError } from '../../../protocol/errors';
import type { DataType } from '../../../protocol/model';
import { bitsOf, storedBytes } from './dataTypes';
import type { ByteSource, Span, TensorRef } from './graph';
import { quote } from './readProto';
import { checkedCount, unpack } from './storedElements';
import { elementCount, type TensorData } from './tensor';
import { WireReader, type Field } from './wire';

/** The field of TensorProto that holds the elements of each type where they are not raw bytes (onnx.proto3). */
const FIELD: Readonly<Partial<Record<DataType, number>>> = {
  float32: 4,
  complex64: 4,
  string: 6,
  int64: 7,
  float64: 10,
  complex128: 10,
  uint32: 11,
  uint64: 11,
};
const INT32_DATA = 5;

/**
 * The elements of a TensorProto that are in `float_data`, `int32_data` and the like. Types under 8 bits are packed into integers, one
 * byte in each; 16-bit and 8-bit floats are the bits of one element in each.
 */
export function readTypedData(source: ByteSource, ref: TensorRef, span: Span): TensorData {
  const { dtype, shape } = ref;
  const elements = elementCount(shape);
  // every entry takes a byte at least: a shape that the message can't fill is refused before memory is taken for it
  const entries = bitsOf(dtype) < 8 ? storedBytes(dtype, elements) : elements;
  if (entries > span.length && dtype !== 'string') throw misfit(ref);
  const wire = new WireReader(source);
  if (dtype === 'string') return checkedCount(ref, readStrings(wire, span));
  if (bitsOf(dtype) < 8) {
    const packed = new Uint8Array(entries);
    fillIntegers(wire, ref, span, packed);
    return unpack(packed, elements, dtype);
  }
  const out = allocate(dtype, elements);
  if (out instanceof Float32Array || out instanceof Float64Array) fillFloats(wire, ref, span, out);
  else if (out instanceof BigInt64Array || out instanceof BigUint64Array)
    fillLongs(wire, ref, span, out);
  else fillIntegers(wire, ref, span, out);
  return dtype === 'bool' && out instanceof Uint8Array ? out.map(value => (value ? 1 : 0)) : out;
}

const misfit = (ref: TensorRef): UserError =>
  new UserError(
    'brokenModel',
    `The values of the tensor ${quote(ref.name)} do not fit its type ${ref.dtype} and shape [${ref.shape.join(', ')}].`,
  );

type Allocated = Exclude<TensorData, readonly string[]>;
type IntegerArray = Exclude<
  Allocated,
  Float32Array | Float64Array | BigInt64Array | BigUint64Array
>;

function allocate(dtype: DataType, elements: number): Allocated {
  switch (dtype) {
    case 'float32':
      return new Float32Array(elements);
    case 'float64':
      return new Float64Array(elements);
    case 'complex64':
      return new Float32Array(2 * elements);
    case 'complex128':
      return new Float64Array(2 * elements);
    case 'int8':
      return new Int8Array(elements);
    case 'int16':
      return new Int16Array(elements);
    case 'int32':
      return new Int32Array(elements);
    case 'int64':
      return new BigInt64Array(elements);
    case 'uint16':
    case 'float16':
    case 'bfloat16':
      return new Uint16Array(elements);
    case 'uint32':
      return new Uint32Array(elements);
    case 'uint64':
      return new BigUint64Array(elements);
    default:
      return new Uint8Array(elements);
  }
}

/** The occurrences of the field that holds the elements of `dtype`. */
function data(wire: WireReader, dtype: DataType, span: Span, visit: (field: Field) => void): void {
  const number = FIELD[dtype] ?? INT32_DATA;
  wire.fields(span, 'a tensor', field => {
    if (field.number === number) visit(field);
  });
}

function readStrings(wire: WireReader, span: Span): readonly string[] {
  const texts: string[] = [];
  data(wire, 'string', span, field => texts.push(wire.text(field)));
  return texts;
}

function fillIntegers(wire: WireReader, ref: TensorRef, span: Span, out: IntegerArray): void {
  let index = 0;
  data(wire, ref.dtype, span, field =>
    wire.varints(field, low => {
      // typed arrays keep the low bits and leave out what is beyond their end
      out[index++] = low;
    }),
  );
  if (index !== out.length) throw misfit(ref);
}

function fillLongs(
  wire: WireReader,
  ref: TensorRef,
  span: Span,
  out: BigInt64Array | BigUint64Array,
): void {
  const halves = new Uint32Array(out.buffer);
  let index = 0;
  data(wire, ref.dtype, span, field =>
    wire.varints(field, (low, high) => {
      halves[index++] = low;
      halves[index++] = high;
    }),
  );
  if (index !== halves.length) throw misfit(ref);
}

function fillFloats(
  wire: WireReader,
  ref: TensorRef,
  span: Span,
  out: Float32Array | Float64Array,
): void {
  const bytes = new Uint8Array(out.buffer);
  let filled = 0;
  data(wire, ref.dtype, span, field => {
    if (field.wire === 'varint') return;
    if (filled + field.length > bytes.length) throw misfit(ref);
    bytes.set(wire.bytes(field), filled);
    filled += field.length;
  });
  if (filled !== bytes.length) throw misfit(ref);
}
