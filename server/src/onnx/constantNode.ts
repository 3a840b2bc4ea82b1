import type { DataType } from '../../../protocol/model';
import type { Attribute, Node, TensorRef } from './graph';

/** The tensor that a Constant node gives, whichever of its attributes holds it (ONNX operator Constant-13); null where none does. */
export function constantTensor(node: Node): TensorRef | null {
  if (node.op !== 'Constant' || node.domain !== '') return null;
  const name = node.outputs[0] ?? '';
  for (const attribute of node.attributes.values()) {
    const made = fromAttribute(attribute);
    if (made) return { ...made, name };
  }
  return null;
}

type Unnamed = Omit<TensorRef, 'name'>;

function fromAttribute(attribute: Attribute): Unnamed | null {
  switch (attribute.kind) {
    case 'tensor':
      return attribute.value;
    case 'float':
      return ofBytes('float32', [], Float32Array.of(attribute.value));
    case 'floats':
      return ofBytes('float32', [attribute.value.length], Float32Array.from(attribute.value));
    case 'int':
      return ofBytes('int64', [], longs([attribute.value]));
    case 'ints':
      return ofBytes('int64', [attribute.value.length], longs(attribute.value));
    case 'string':
      return ofTexts([], [attribute.value]);
    case 'strings':
      return ofTexts([attribute.value.length], attribute.value);
    default:
      return null;
  }
}

const longs = (values: readonly number[]): BigInt64Array =>
  BigInt64Array.from(values, value => exactLong(value));

/** The 64-bit integer of an attribute's value: what was clamped on reading becomes the end of the range again. */
export function exactLong(value: number): bigint {
  if (value >= 2 ** 53) return 2n ** 63n - 1n;
  if (value <= -(2 ** 53)) return -(2n ** 63n);
  return BigInt(Math.trunc(value));
}

const ofBytes = (
  dtype: DataType,
  shape: readonly number[],
  values: Float32Array | BigInt64Array,
): Unnamed => ({
  dtype,
  shape,
  location: {
    kind: 'bytes',
    bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
  },
  span: null,
});

const ofTexts = (shape: readonly number[], values: readonly string[]): Unnamed => ({
  dtype: 'string',
  shape,
  location: { kind: 'strings', values },
  span: null,
});
