import type { DataType, Dimension } from '../../../../../protocol/model';
import type { Attribute } from '../../graph';
import { size, unknownSizes } from '../dimensions';
import { dataTypeOf } from '../../dataTypes';
import { type Elements, MAX_ELEMENTS, type NodeView, type Rule, tensor, type Value } from '../rule';

const finite = (values: readonly number[]): Elements =>
  values.map(value => (Number.isFinite(value) ? value : null));

/** Value of a Constant node's attribute (`value`, `value_int` …); null for kinds that are no tensors. */
function constantValue(attribute: Attribute): Value | null {
  const list = (dtype: DataType, values: readonly number[]) =>
    tensor(dtype, [values.length], values.length <= MAX_ELEMENTS ? finite(values) : null);
  switch (attribute.kind) {
    case 'tensor':
      return { ...tensor(attribute.value.dtype, attribute.value.shape), stored: attribute.value };
    case 'float':
      return tensor('float32', [], finite([attribute.value]));
    case 'int':
      return tensor('int64', [], [attribute.value]);
    case 'floats':
      return list('float32', attribute.value);
    case 'ints':
      return list('int64', attribute.value);
    case 'string':
      return tensor('string', []);
    case 'strings':
      return tensor('string', [attribute.value.length]);
    default:
      return null;
  }
}

export const constant: Rule = node => {
  for (const [name, attribute] of node.node.attributes)
    if (name.startsWith('value') || name === 'sparse_value') return [constantValue(attribute)];
  return [null];
};

/** ConstantOfShape: float32 unless `value` has another type. */
export const constantOfShape: Rule = node => {
  const value = node.node.attributes.get('value');
  const type = value?.kind === 'tensor' ? value.value.dtype : 'float32';
  const shape = node.elements(0);
  const rank = node.sizeAt(0, 0);
  return [tensor(type, shape ?? (typeof rank === 'number' ? unknownSizes(rank) : null))];
};

/** Range: max(0, ⌈(limit − start) / delta⌉) entries. */
export const range: Rule = node => {
  const [start, limit, delta] = [0, 1, 2].map(index => node.elements(index)?.[0] ?? null);
  let length: Dimension = null;
  if (typeof start === 'number' && typeof limit === 'number' && typeof delta === 'number')
    length = delta === 0 ? null : size(Math.max(0, Math.ceil((limit - start) / delta)));
  else if (start === 0 && delta === 1) length = limit ?? null;
  return [tensor(node.dtype(0), [length])];
};

/** RandomNormal, RandomUniform: shape and type are attributes. */
export const random: Rule = node => [tensor(dataTypeOf(node.int('dtype', 1)), node.ints('shape'))];

/** Multinomial: [batch, sample_size]. */
export const multinomial: Rule = node => [
  tensor(dataTypeOf(node.int('dtype', 6)), [node.sizeAt(0, 0), node.int('sample_size', 1)]),
];

/** HannWindow and relatives: a vector of the length in input 0. */
export const windowFunction: Rule = node => [
  tensor(dataTypeOf(node.int('output_datatype', 1)), [node.elements(0)?.[0] ?? null]),
];

/** ImageDecoder: an image whose size only a run can tell. */
export const imageDecoder: Rule = node => [
  tensor('uint8', [null, null, node.string('pixel_format', 'RGB') === 'Grayscale' ? 1 : 3]),
];

/** NonMaxSuppression: [selected boxes, 3]. */
export const nonMaxSuppression: Rule = () => [tensor('int64', [null, 3])];

/** A value of a container type; what is inside is not followed. */
export const contained =
  (container: 'sequence' | 'map' | 'optional'): Rule =>
  (node: NodeView) => [{ ...tensor(node.dtype(0), null), container }];
