import { axesOf, axisOf, type Shape, unknownSizes } from '../dimensions';
import { type NodeView, type Rule, tensor } from '../rule';

const without = (shape: Shape, axes: readonly number[], keep: boolean): Shape =>
  keep
    ? shape.map((length, axis) => (axes.includes(axis) ? 1 : length))
    : shape.filter((_, axis) => !axes.includes(axis));

/** Axes to reduce: attribute or input (ReduceSum since 13, the others since 18); none means all unless told otherwise. */
export function reducedAxes(node: NodeView, rank: number): readonly number[] | null {
  const axes = node.attributeOrInput('axes', 1);
  if (axes === 'unknown') return null;
  if (axes === 'absent' || axes.length === 0)
    return node.int('noop_with_empty_axes', 0) !== 0
      ? []
      : Array.from({ length: rank }, (_, axis) => axis);
  return axesOf(axes, rank);
}

/** ReduceMean, ReduceSum … */
export const reduction: Rule = node => {
  const shape = node.shape(0);
  const keep = node.int('keepdims', 1) !== 0;
  if (shape === null) return [tensor(node.dtype(0), null)];
  const axes = reducedAxes(node, shape.length);
  if (axes === null) return [tensor(node.dtype(0), keep ? unknownSizes(shape.length) : null)];
  return [tensor(node.dtype(0), without(shape, axes, keep))];
};

/** com.microsoft.QLinearReduceMean: axes are an attribute; input 1 is the scale. */
export const quantizedReduction: Rule = node => {
  const shape = node.shape(0);
  const axes = axesOf(node.ints('axes') ?? shape?.map((_, axis) => axis) ?? [], shape?.length ?? 0);
  const keep = node.int('keepdims', 1) !== 0;
  return [
    tensor(node.dtype(0), shape === null || axes === null ? null : without(shape, axes, keep)),
  ];
};

/** ArgMax and ArgMin. */
export const argument: Rule = node => {
  const shape = node.shape(0);
  const axis = axisOf(node.int('axis', 0), shape?.length ?? 0);
  const keep = node.int('keepdims', 1) !== 0;
  return [tensor('int64', shape === null || axis === null ? null : without(shape, [axis], keep))];
};
