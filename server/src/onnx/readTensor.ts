import { UserError } from '../../../protocol/errors';
import { storedBytes } from './dataTypes';
import type { ByteSource, ExternalData, Model, Span, TensorLocation, TensorRef } from './graph';
import { toNumbers } from './numbers';
import { quote } from './readProto';
import { checkedCount, fromStored, wrongSize } from './storedElements';
import { elementCount, type Tensor, type TensorData } from './tensor';
import { readTypedData } from './typedData';

/** Elements that a tensor may have which the file does not store one by one (sparse ones). */
const MAX_MADE_ELEMENTS = 2 ** 27;

/**
 * Reads a constant of `model` into memory. Throws UserError: `noWeights` where the file has none of its bytes, `brokenModel` where they do
 * not fit the shape, `missingExternalData` where `external` does not find them, `tooLarge` and `unsupported`.
 */
export function readTensor(model: Model, ref: TensorRef, external: ExternalData): Tensor {
  const { location, dtype, shape } = ref;
  checkShape(ref);
  if (dtype === 'undefined')
    throw new UserError('unsupported', `The type of the tensor ${quote(ref.name)} is not known.`);
  if (dtype === 'string' && !['sparse', 'strings', 'typed'].includes(location.kind))
    return { dtype, shape, data: absentTexts(ref) };
  switch (location.kind) {
    case 'sparse':
      return densify(model, ref, location, external);
    case 'strings':
      return { dtype, shape, data: checkedCount(ref, location.values) };
    case 'typed':
      return { dtype, shape, data: readTypedData(model.source, ref, location) };
    case 'bytes':
      return { dtype, shape, data: fromStored(ref, location.bytes) };
    case 'raw':
      return { dtype, shape, data: fromStored(ref, rawBytes(model.source, ref, location)) };
    case 'external':
      return { dtype, shape, data: fromStored(ref, externalBytes(ref, location, external)) };
  }
}

function absentTexts(ref: TensorRef): readonly string[] {
  if (elementCount(ref.shape) === 0) return [];
  throw new UserError(
    'brokenModel',
    `The tensor ${quote(ref.name)} does not store its texts as texts.`,
  );
}

function checkShape(ref: TensorRef): void {
  const sane = ref.shape.every(size => Number.isSafeInteger(size) && size >= 0);
  if (sane && Number.isSafeInteger(elementCount(ref.shape) * 128)) return;
  const shape = ref.shape.slice(0, 8).join(', ');
  throw new UserError(
    'brokenModel',
    `The tensor ${quote(ref.name)} has an impossible shape [${shape}].`,
  );
}

function rawBytes(source: ByteSource, ref: TensorRef, span: Span): Uint8Array {
  const needed = storedBytes(ref.dtype, elementCount(ref.shape));
  if (span.length === 0 && needed > 0)
    throw new UserError(
      'noWeights',
      `The tensor ${quote(ref.name)} has no bytes in ${source.name}: its weights were left out when it was saved.`,
    );
  if (span.length !== needed) throw wrongSize(ref, span.length, needed);
  return source.read(span.offset, span.length);
}

/** The stored bytes of a tensor in another file, checked against its shape and the size of the file. */
export function externalBytes(
  ref: TensorRef,
  location: Extract<TensorLocation, { kind: 'external' }>,
  external: ExternalData,
): Uint8Array {
  checkShape(ref);
  const needed = storedBytes(ref.dtype, elementCount(ref.shape));
  const length = location.length ?? needed;
  if (length !== needed) throw wrongSize(ref, length, needed);
  const source = external(location.location);
  if (location.offset + length > source.size)
    throw new UserError(
      'brokenModel',
      `${source.name} is too short for the tensor ${quote(ref.name)}: it has ${source.size} bytes where ${location.offset + length} are needed; export or copy it again.`,
    );
  return source.read(location.offset, length);
}

/**
 * A SparseTensorProto as a full tensor, zeros elsewhere. Indices are [count] into the flattened tensor or [count, rank]
 * (onnx.proto3, SparseTensorProto).
 */
function densify(
  model: Model,
  ref: TensorRef,
  location: Extract<TensorLocation, { kind: 'sparse' }>,
  external: ExternalData,
): Tensor {
  const { dtype, shape, name } = ref;
  const total = elementCount(shape);
  if (total > MAX_MADE_ELEMENTS)
    throw new UserError(
      'tooLarge',
      `The sparse tensor ${quote(name)} has ${total} elements; at most ${MAX_MADE_ELEMENTS} are filled in.`,
    );
  const values = readTensor(model, location.values, external).data;
  const indices = toNumbers(readTensor(model, location.indices, external));
  const count = location.values.shape.length === 1 ? (location.values.shape[0] ?? 0) : -1;
  const rank = location.indices.shape.length === 2 ? shape.length : 1;
  if (indices.length !== count * rank) throw badIndices(name);
  const parts = dtype === 'complex64' || dtype === 'complex128' ? 2 : 1;
  const positions = flatPositions(indices, rank, shape, name);
  return { dtype, shape, data: scatter(values, positions, parts, total) };
}

const badIndices = (name: string): UserError =>
  new UserError('brokenModel', `The indices of the sparse tensor ${quote(name)} do not fit it.`);

function flatPositions(
  indices: readonly number[],
  rank: number,
  shape: readonly number[],
  name: string,
): number[] {
  const sizes = rank === shape.length ? shape : [elementCount(shape)];
  const positions: number[] = [];
  for (let start = 0; rank > 0 && start < indices.length; start += rank) {
    let position = 0;
    for (const [axis, size] of sizes.entries()) {
      const index = indices[start + axis] ?? -1;
      if (index < 0 || index >= size) throw badIndices(name);
      position = position * size + index;
    }
    positions.push(position);
  }
  return positions;
}

function scatter(
  values: TensorData,
  positions: readonly number[],
  parts: number,
  total: number,
): TensorData {
  if (!ArrayBuffer.isView(values)) {
    const texts = new Array<string>(total).fill('');
    positions.forEach((position, index) => (texts[position] = values[index] ?? ''));
    return texts;
  }
  const place = <T extends number | bigint>(
    from: { readonly [index: number]: T },
    into: { [index: number]: T },
  ): void =>
    positions.forEach((position, index) => {
      for (let part = 0; part < parts; part++) {
        const value = from[index * parts + part];
        if (value !== undefined) into[position * parts + part] = value;
      }
    });
  if (values instanceof BigInt64Array || values instanceof BigUint64Array) {
    const out =
      values instanceof BigInt64Array ? new BigInt64Array(total) : new BigUint64Array(total);
    place(values, out);
    return out;
  }
  const out = zeros(values, total * parts);
  place(values, out);
  return out;
}

type NumberArray = Exclude<TensorData, readonly string[] | BigInt64Array | BigUint64Array>;

function zeros(like: NumberArray, length: number): NumberArray {
  if (like instanceof Float32Array) return new Float32Array(length);
  if (like instanceof Float64Array) return new Float64Array(length);
  if (like instanceof Int8Array) return new Int8Array(length);
  if (like instanceof Int16Array) return new Int16Array(length);
  if (like instanceof Int32Array) return new Int32Array(length);
  if (like instanceof Uint16Array) return new Uint16Array(length);
  if (like instanceof Uint32Array) return new Uint32Array(length);
  return new Uint8Array(length);
}
