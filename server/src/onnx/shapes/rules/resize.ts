import type { Dimension } from '../../../../../protocol/model';
import { axesOf, size, type Shape, unknownSizes, withSize } from '../dimensions';
import { type Rule, tensor } from '../rule';

/** ⌊in · scale⌋ in single precision, as ONNX Runtime computes it; a symbolic size survives a scale of 1. */
function scaled(length: Dimension, scale: number | undefined): Dimension {
  if (scale === undefined) return null;
  if (scale === 1) return length;
  return typeof length === 'number'
    ? size(Math.trunc(Math.fround(Math.fround(scale) * length)))
    : null;
}

/** Upsample: scales in an attribute before version 9, input 1 since. */
export const upsample: Rule = node => {
  const scales = node.has(1) ? node.numbers(1) : node.floats('scales');
  const shape = node.shape(0);
  const result =
    scales === null
      ? unknownSizes(shape?.length ?? -1)
      : shape?.map((length, axis) => scaled(length, scales[axis]));
  return [tensor(node.dtype(0), result ?? null)];
};

/** Sizes that keep the aspect ratio: the policy picks one scale, every size is rounded (Resize since version 18). */
function keptRatio(
  shape: Shape,
  axes: readonly number[],
  sizes: readonly Dimension[],
  policy: string,
): Shape {
  const scales = axes.map((axis, index) => {
    const length = shape[axis];
    const target = sizes[index];
    return typeof length === 'number' && typeof target === 'number' && length > 0
      ? target / length
      : NaN;
  });
  const scale = policy === 'not_larger' ? Math.min(...scales) : Math.max(...scales);
  return shape.map((length, axis) => {
    if (!axes.includes(axis)) return length;
    return typeof length === 'number' ? size(Math.round(scale * length)) : null;
  });
}

/**
 * Resize: scales in input 1 (version 10) or 2, sizes in input 3; `axes` and `keep_aspect_ratio_policy` since 18. The region of
 * `tf_crop_and_resize` has no influence on the shape, as ONNX Runtime has it (the specification multiplies by its length).
 */
export const resize: Rule = node => {
  const shape = node.shape(0);
  const type = node.dtype(0);
  if (shape === null) return [tensor(type, null)];
  const axes = axesOf(node.ints('axes') ?? shape.map((_, axis) => axis), shape.length);
  if (axes === null) return [tensor(type, unknownSizes(shape.length))];
  const open = shape.map((length, axis) => (axes.includes(axis) ? null : length));
  if (node.has(3)) {
    const sizes = node.elements(3);
    if (sizes === null) return [tensor(type, open)];
    const policy = node.string('keep_aspect_ratio_policy', 'stretch');
    if (policy !== 'stretch') return [tensor(type, keptRatio(shape, axes, sizes, policy))];
    const result = axes.reduce<Shape>(
      (sofar, axis, index) => withSize(sofar, axis, sizes[index] ?? null),
      shape,
    );
    return [tensor(type, result)];
  }
  const scales = node.numbers(node.version < 11 ? 1 : 2);
  if (scales === null || scales.length === 0) return [tensor(type, open)];
  const result = axes.reduce<Shape>(
    (sofar, axis, index) => withSize(sofar, axis, scaled(shape[axis] ?? null, scales[index])),
    shape,
  );
  return [tensor(type, result)];
};
