import type { Dimension } from '../../../../../protocol/model';
import { axesOf, axisOf, plus, size, type Shape, unknownSizes, withSize } from '../dimensions';
import { type Elements, type NodeView, type Rule, tensor } from '../rule';
import { firstType } from './elementwise';

/** Sizes along `axis` add up; on the other axes the inputs must agree, so that any known size holds. */
export function concatenated(shapes: readonly (Shape | null)[], axis: number): Shape | null {
  const [first] = shapes;
  const known = shapes.find(shape => shape !== null);
  if (first === undefined || known === undefined || known === null) return null;
  const along = axisOf(axis, known.length);
  if (along === null) return null;
  return known.map((_, index) => {
    const sizes = shapes.map(shape => shape?.[index] ?? null);
    if (index === along) return sizes.reduce<Dimension>((total, length) => plus(total, length), 0);
    return (
      sizes.find(length => typeof length === 'number') ??
      (sizes.every(length => length === sizes[0]) ? (sizes[0] ?? null) : null)
    );
  });
}

/** Concat; before version 4 the axis is 1 unless stated. */
export const concat: Rule = node => {
  const indices = Array.from({ length: node.inputCount }, (_, index) => index);
  const shapes = indices.map(index => node.shape(index));
  return [tensor(firstType(node, indices), concatenated(shapes, node.int('axis', 1)))];
};

/** com.microsoft.QLinearConcat: scale and zero point of the output, then (tensor, scale, zero point) for each input. */
export const quantizedConcat: Rule = node => {
  const shapes: (Shape | null)[] = [];
  for (let index = 2; index < node.inputCount; index += 3) shapes.push(node.shape(index));
  return [tensor(node.dtype(1), concatenated(shapes, node.int('axis', 1)))];
};

/** Split: sizes from the attribute (before 13) or input 1; else equal parts, the last one smaller (`num_outputs`, 18). */
export const split: Rule = node => {
  const shape = node.shape(0);
  const axis = axisOf(node.int('axis', 0), shape?.length ?? 0);
  const type = node.dtype(0);
  const count = node.outputCount;
  if (shape === null || axis === null)
    return Array.from({ length: count }, () => tensor(type, null));
  const sizes = node.attributeOrInput('split', 1);
  const whole = shape[axis] ?? null;
  const part = typeof whole === 'number' ? Math.ceil(whole / count) : null;
  return Array.from({ length: count }, (_, index) => {
    const equal =
      part === null || typeof whole !== 'number' ? null : Math.min(part, whole - part * index);
    const length =
      typeof sizes === 'string' ? (sizes === 'absent' ? equal : null) : (sizes[index] ?? null);
    return tensor(type, withSize(shape, axis, length === null ? null : size(length)));
  });
};

export interface SliceRange {
  readonly start: number;
  readonly step: number;
  readonly count: number;
}

/** The largest int32 and int64 (clamped to 2^53) mean "to the end", in either direction, as ONNX Runtime reads them. */
const isOpenEnd = (end: number): boolean => end === 2 ** 31 - 1 || end >= 2 ** 53 - 1;

/** Entries that a Slice takes from an axis of this length; bounds are clamped as the operator says. Null for a step of 0. */
export function sliceRange(
  length: number,
  start: number,
  end: number,
  step: number,
): SliceRange | null {
  if (step === 0) return null;
  const wrap = (bound: number) => (bound < 0 ? bound + length : bound);
  const clamp = (bound: number, low: number, high: number) => Math.min(Math.max(bound, low), high);
  const first = step > 0 ? clamp(wrap(start), 0, length) : clamp(wrap(start), 0, length - 1);
  const stop = isOpenEnd(end) ? (step > 0 ? length : -1) : wrap(end);
  const last = step > 0 ? clamp(stop, 0, length) : clamp(stop, -1, length - 1);
  return { start: first, step, count: Math.max(0, Math.ceil((last - first) / step)) };
}

/** Starts, ends, axes and steps of a Slice: attributes before version 10, inputs since. Null where they are unknown. */
export function sliceBounds(
  node: NodeView,
): { starts: Elements; ends: Elements; axes: readonly number[]; steps: readonly number[] } | null {
  const legacy = node.version < 10;
  const starts = legacy ? node.ints('starts') : node.elements(1);
  const ends = legacy ? node.ints('ends') : node.elements(2);
  const axes = node.attributeOrInput('axes', 3);
  const steps = legacy || !node.has(4) ? 'absent' : (node.numbers(4) ?? 'unknown');
  if (starts === null || ends === null || axes === 'unknown' || steps === 'unknown') return null;
  return {
    starts,
    ends,
    axes: axes === 'absent' ? starts.map((_, index) => index) : axes,
    steps: steps === 'absent' ? starts.map(() => 1) : steps,
  };
}

function slicedSize(length: Dimension, start: Dimension, end: Dimension, step: number): Dimension {
  if (typeof start === 'number' && typeof end === 'number') {
    if (typeof length === 'number') return sliceRange(length, start, end, step)?.count ?? null;
    return start === 0 && end >= 2 ** 31 - 1 && step === 1 ? length : null;
  }
  return start === 0 && step === 1 && end !== null && end === length ? length : null;
}

export const slice: Rule = node => {
  const shape = node.shape(0);
  const bounds = sliceBounds(node);
  const type = node.dtype(0);
  if (shape === null) return [tensor(type, null)];
  if (bounds === null) {
    const axes = node.attributeOrInput('axes', 3);
    const touched = typeof axes === 'string' ? null : axesOf(axes, shape.length);
    const open =
      touched === null
        ? unknownSizes(shape.length)
        : shape.map((length, axis) => (touched.includes(axis) ? null : length));
    return [tensor(type, open)];
  }
  const axes = axesOf(bounds.axes, shape.length);
  if (axes === null) return [tensor(type, null)];
  const result = [...shape];
  for (const [index, axis] of axes.entries())
    result[axis] = slicedSize(
      shape[axis] ?? null,
      bounds.starts[index] ?? null,
      bounds.ends[index] ?? null,
      bounds.steps[index] ?? 1,
    );
  return [tensor(type, result)];
};

/** Gather: the indices' shape takes the place of `axis`. */
export const gather: Rule = node => {
  const data = node.shape(0);
  const indices = node.shape(1);
  const axis = axisOf(node.int('axis', 0), data?.length ?? 0);
  if (data === null || indices === null || axis === null) return [tensor(node.dtype(0), null)];
  return [tensor(node.dtype(0), [...data.slice(0, axis), ...indices, ...data.slice(axis + 1)])];
};

/** GatherElements: the shape of the indices. */
export const gatherElements: Rule = node => [tensor(node.dtype(0), node.shape(1))];

/** GatherND: indices' leading axes, then what the last index axis does not address (`batch_dims` since 12). */
export const gatherNd: Rule = node => {
  const data = node.shape(0);
  const indices = node.shape(1);
  const depth = indices?.at(-1);
  if (data === null || indices === null || typeof depth !== 'number')
    return [tensor(node.dtype(0), null)];
  return [
    tensor(node.dtype(0), [
      ...indices.slice(0, -1),
      ...data.slice(node.int('batch_dims', 0) + depth),
    ]),
  ];
};

/** Pad: amounts in an attribute before version 11 (`paddings` before 2), else input 1; axes in input 3 since 18. */
export const pad: Rule = node => {
  const shape = node.shape(0);
  const amounts = node.has(1) ? node.numbers(1) : (node.ints('pads') ?? node.ints('paddings'));
  const type = node.dtype(0);
  if (shape === null) return [tensor(type, null)];
  const given = node.has(3) ? node.numbers(3) : shape.map((_, axis) => axis);
  const axes = given === null ? null : axesOf(given, shape.length);
  if (axes === null) return [tensor(type, unknownSizes(shape.length))];
  const result = [...shape];
  for (const [index, axis] of axes.entries()) {
    const before = amounts?.[index];
    const after = amounts?.[index + axes.length];
    result[axis] =
      before === undefined || after === undefined
        ? null
        : plus(shape[axis] ?? null, before + after);
  }
  return [tensor(type, result)];
};

/** CenterCropPad: the sizes in input 1, on all axes or on `axes`. */
export const centerCropPad: Rule = node => {
  const shape = node.shape(0);
  const target = node.elements(1);
  if (shape === null) return [tensor(node.dtype(0), null)];
  const axes = axesOf(node.ints('axes') ?? shape.map((_, axis) => axis), shape.length);
  if (axes === null) return [tensor(node.dtype(0), null)];
  const result = [...shape];
  for (const [index, axis] of axes.entries()) result[axis] = target?.[index] ?? null;
  return [tensor(node.dtype(0), result)];
};

/** TopK: values and indices, `k` entries along `axis`; an attribute before version 10, input 1 since. */
export const topK: Rule = node => {
  const shape = node.shape(0);
  const axis = axisOf(node.int('axis', -1), shape?.length ?? 0);
  const k = node.has(1)
    ? (node.elements(1)?.[0] ?? null)
    : node.hasAttribute('k')
      ? node.int('k', 1)
      : null;
  const result = shape === null || axis === null ? null : withSize(shape, axis, k);
  return [tensor(node.dtype(0), result), tensor('int64', result)];
};

/** OneHot: a new axis of the given depth, at the end unless `axis` says otherwise. */
export const oneHot: Rule = node => {
  const shape = node.shape(0);
  const axis = axisOf(node.int('axis', -1), (shape?.length ?? 0) + 1);
  if (shape === null || axis === null) return [tensor(node.dtype(2), null)];
  return [tensor(node.dtype(2), shape.toSpliced(axis, 0, node.elements(1)?.[0] ?? null))];
};

/** NonZero: [rank, number found]. */
export const nonZero: Rule = node => [tensor('int64', [node.shape(0)?.length ?? null, null])];

/** Unique: what it finds only a run can tell; with `axis` the other sizes stay. */
export const unique: Rule = node => {
  const shape = node.shape(0);
  const axis = axisOf(node.int('axis', 0), shape?.length ?? 0);
  const along = shape === null || axis === null ? null : withSize(shape, axis, null);
  const first = tensor(node.dtype(0), node.hasAttribute('axis') ? along : [null]);
  return [first, tensor('int64', [null]), tensor('int64', [null]), tensor('int64', [null])];
};
