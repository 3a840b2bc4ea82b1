import type { DataType } from '../../../../../protocol/model';
import { broadcast } from '../dimensions';
import { dataTypeOf } from '../../dataTypes';
import { type NodeView, type Rule, tensor } from '../rule';

/** Type and shape of the first input: activations, Softmax, scatter and everything else that changes values only. */
export const sameAsFirst: Rule = node => [tensor(node.dtype(0), node.shape(0))];

/** Shape of the first input, but this type. */
export const sameShapeAs =
  (dtype: DataType): Rule =>
  node => [tensor(dtype, node.shape(0))];

/** The first type among these inputs that is known. */
export const firstType = (node: NodeView, indices: readonly number[]): DataType =>
  indices.map(index => node.dtype(index)).find(dtype => dtype !== 'undefined') ?? 'undefined';

const allInputs = (node: NodeView): readonly number[] =>
  Array.from({ length: node.inputCount }, (_, index) => index);

/** Multidirectional broadcasting of all inputs since version 7; before, the first input's shape (`broadcast`, `axis`). */
const broadcastShape = (node: NodeView, inputs: readonly number[]) =>
  node.version < 7 && node.node.domain === ''
    ? node.shape(0)
    : broadcast(inputs.map(index => node.shape(index)));

/** Add, Mul, Max, Sum …: all inputs broadcast; the type is the inputs'. */
export const broadcasting: Rule = node => [
  tensor(firstType(node, allInputs(node)), broadcastShape(node, allInputs(node))),
];

/** Pow: broadcast, but the type is the base's. */
export const power: Rule = node => [tensor(node.dtype(0), broadcastShape(node, [0, 1]))];

/** Equal, Less …: broadcast to bool. */
export const comparison: Rule = node => [tensor('bool', broadcastShape(node, [0, 1]))];

export const where: Rule = node => [
  tensor(firstType(node, [1, 2]), broadcast([node.shape(0), node.shape(1), node.shape(2)])),
];

/** Cast and relatives: the type is in an attribute (`to`, `dtype`), else the first input's or this one. */
export const typedByAttribute =
  (attribute: string, otherwise?: DataType): Rule =>
  node => [
    tensor(
      node.hasAttribute(attribute)
        ? dataTypeOf(node.int(attribute, 0))
        : (otherwise ?? node.dtype(0)),
      node.shape(0),
    ),
  ];

/** CastLike: the shape of the first input, the type of the second. */
export const castLike: Rule = node => [tensor(node.dtype(1), node.shape(0))];

/** Dropout: a second output is its mask. */
export const dropout: Rule = node => [
  tensor(node.dtype(0), node.shape(0)),
  tensor(node.version < 10 ? node.dtype(0) : 'bool', node.shape(0)),
];

/** com.microsoft.BiasSplitGelu: the last axis is halved. */
export const halvedLastAxis: Rule = node => {
  const shape = node.shape(0);
  const last = shape?.at(-1);
  const half = typeof last === 'number' && last % 2 === 0 ? last / 2 : null;
  return [tensor(node.dtype(0), shape === null ? null : [...shape.slice(0, -1), half])];
};
