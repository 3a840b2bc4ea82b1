import type { DataType, Dimension, ValueInfo } from '../../../protocol/model';
import { dataTypeOf } from './dataTypes';
import type { Span, TensorLocation, TensorRef } from './graph';
import { fieldInt, MAX_DEPTH, type Field, type WireReader } from './wire';

/** The messages of onnx.proto3 below graphs: tensors, types, values, key-value entries. Field numbers are the specification's. */

/** TensorProto: dimensions, type and where the bytes lie; no byte of data is read. */
export function readTensorProto(wire: WireReader, span: Span): TensorRef {
  const shape: number[] = [];
  const external = new Map<string, string>();
  let name = '';
  let code = 0;
  let isExternal = false;
  let raw: TensorLocation | null = null;
  let typed = false;
  wire.fields(span, 'a tensor', field => {
    switch (field.number) {
      case 1:
        wire.ints(field, shape);
        break;
      case 2:
        code = fieldInt(field);
        break;
      case 4:
      case 5:
      case 6:
      case 7:
      case 10:
      case 11:
        // an empty list counts as absent
        typed ||= field.wire !== 'bytes' || field.length > 0 || field.number === 6;
        break;
      case 8:
        name = wire.text(field);
        break;
      case 9:
        raw = { kind: 'raw', offset: field.offset, length: field.length };
        break;
      case 13:
        readEntry(wire, field, external);
        break;
      case 14:
        isExternal = fieldInt(field) === 1;
        break;
    }
  });
  const dtype = dataTypeOf(code);
  if (dtype === 'undefined')
    wire.report('warning', `The tensor ${quote(name)} has the unknown type ${code}.`, name);
  const absent: TensorLocation = { kind: 'raw', offset: span.offset + span.length, length: 0 };
  const inFile: TensorLocation = typed ? { kind: 'typed', ...span } : (raw ?? absent);
  const location = isExternal ? externalLocation(wire, name, external) : inFile;
  return { name, dtype, shape, location, span };
}

/** The external_data entries of a TensorProto (onnx ExternalData.md). */
function externalLocation(
  wire: WireReader,
  name: string,
  entries: ReadonlyMap<string, string>,
): TensorLocation {
  const amount = (key: string): number | null => {
    const text = entries.get(key);
    if (text === undefined || text === '') return null;
    const value = /^\d{1,16}$/.test(text) ? Number(text) : NaN;
    if (Number.isSafeInteger(value)) return value;
    wire.report('error', `The external ${key} of the tensor ${quote(name)} is not a number.`, name);
    return Number.MAX_SAFE_INTEGER;
  };
  const location = entries.get('location') ?? '';
  if (location === '')
    wire.report('error', `The tensor ${quote(name)} names no external file.`, name);
  return { kind: 'external', location, offset: amount('offset') ?? 0, length: amount('length') };
}

/** SparseTensorProto as a tensor whose location is `sparse`; its name is the name of its values. */
export function readSparseTensor(wire: WireReader, span: Span): TensorRef {
  const shape: number[] = [];
  let values: TensorRef | null = null;
  let indices: TensorRef | null = null;
  wire.fields(span, 'a sparse tensor', field => {
    if (field.number === 1 && field.wire === 'bytes') values = readTensorProto(wire, field);
    else if (field.number === 2 && field.wire === 'bytes') indices = readTensorProto(wire, field);
    else if (field.number === 3) wire.ints(field, shape);
  });
  return sparseRef(values, indices, shape, span);
}

function sparseRef(
  values: TensorRef | null,
  indices: TensorRef | null,
  shape: readonly number[],
  span: Span,
): TensorRef {
  const { offset, length } = span;
  const nothing: TensorRef = {
    name: '',
    dtype: 'undefined',
    shape: [0],
    location: { kind: 'raw', offset: offset + length, length: 0 },
    span: null,
  };
  const some = values ?? nothing;
  return {
    name: some.name,
    dtype: some.dtype,
    shape,
    location: { kind: 'sparse', values: some, indices: indices ?? { ...nothing, dtype: 'int64' } },
    span: { offset, length },
  };
}

/** StringStringEntryProto into a map. */
export function readEntry(wire: WireReader, span: Field, into: Map<string, string>): void {
  if (span.wire !== 'bytes') return;
  let key = '';
  let value = '';
  wire.fields(span, 'a key-value entry', field => {
    if (field.number === 1) key = wire.text(field);
    else if (field.number === 2) value = wire.text(field);
  });
  into.set(key, value);
}

/** ValueInfoProto, with its metadata. */
export function readValueInfo(
  wire: WireReader,
  span: Span,
): { readonly value: ValueInfo; readonly metadata: ReadonlyMap<string, string> } {
  const metadata = new Map<string, string>();
  let name = '';
  let type: ValueType = UNKNOWN;
  wire.fields(span, 'a value', field => {
    if (field.number === 1) name = wire.text(field);
    else if (field.number === 2 && field.wire === 'bytes') type = readType(wire, field, 0);
    else if (field.number === 4) readEntry(wire, field, metadata);
  });
  return { value: { name, ...type }, metadata };
}

type ValueType = Omit<ValueInfo, 'name'>;
const UNKNOWN: ValueType = { dtype: 'undefined', shape: null };

/** TypeProto. Containers carry the element type of the innermost tensor and no shape. */
function readType(wire: WireReader, span: Span, depth: number): ValueType {
  let result: ValueType = UNKNOWN;
  if (depth > MAX_DEPTH) {
    wire.report('error', 'A type is nested too deep.');
    return result;
  }
  wire.fields(span, 'a type', field => {
    if (field.wire !== 'bytes') return;
    switch (field.number) {
      case 1:
        result = readTensorType(wire, field);
        break;
      case 4:
        result = { ...elementType(wire, field, depth, 1), container: 'sequence' };
        break;
      case 5:
        result = { ...elementType(wire, field, depth, 2), container: 'map' };
        break;
      case 8:
        result = { ...readTensorType(wire, field), container: 'sparse' };
        break;
      case 9:
        result = { ...elementType(wire, field, depth, 1), container: 'optional' };
        break;
    }
  });
  return result;
}

function elementType(wire: WireReader, span: Span, depth: number, number: number): ValueType {
  let dtype: DataType = 'undefined';
  wire.fields(span, 'a type', field => {
    if (field.number === number && field.wire === 'bytes')
      dtype = readType(wire, field, depth + 1).dtype;
  });
  return { dtype, shape: null };
}

/** TypeProto.Tensor and TypeProto.SparseTensor. */
function readTensorType(wire: WireReader, span: Span): ValueType {
  let dtype: DataType = 'undefined';
  let shape: Dimension[] | null = null;
  wire.fields(span, 'a tensor type', field => {
    if (field.number === 1) dtype = dataTypeOf(fieldInt(field));
    else if (field.number === 2 && field.wire === 'bytes') {
      const dimensions = (shape ??= []);
      wire.fields(field, 'a shape', inner => {
        if (inner.number === 1 && inner.wire === 'bytes')
          dimensions.push(readDimension(wire, inner));
      });
    }
  });
  return { dtype, shape };
}

function readDimension(wire: WireReader, span: Span): Dimension {
  let result: Dimension = null;
  wire.fields(span, 'a dimension', field => {
    if (field.number === 1) {
      const size = fieldInt(field);
      // some exporters write -1 for what they do not know
      result = size >= 0 ? size : null;
    } else if (field.number === 2) result = wire.text(field) || null;
  });
  return result;
}

/** A name for a sentence; long ones are cut. */
export const quote = (name: string): string =>
  name === '' ? 'without a name' : `"${name.length > 200 ? `${name.slice(0, 200)}…` : name}"`;
