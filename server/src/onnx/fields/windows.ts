import type { Node } from '../graph';
import {
  type FieldContext,
  type FieldRule,
  int,
  type Interval,
  interval,
  ints,
  lengthOf,
  type Region,
  text,
} from './region';

interface WindowGeometry {
  readonly stride: number;
  readonly before: number;
  readonly extent: number;
}

/** Stride, padding in front and extent of the window along a spatial axis; null where the kernel is unknown. */
function windowAt(
  node: Node,
  axis: number,
  axes: number,
  input: number,
  weight: number | null,
  output: number | null,
  context: FieldContext,
): WindowGeometry | null {
  const kernel =
    ints(node, 'kernel_shape')?.[axis] ??
    (weight === null ? null : lengthOf(node, weight, axis + 2, context));
  if (kernel === null) return null;
  const stride = Math.max(1, ints(node, 'strides')?.[axis] ?? 1);
  const extent = (ints(node, 'dilations')?.[axis] ?? 1) * (kernel - 1) + 1;
  const pads = ints(node, 'pads');
  const mode = text(node, 'auto_pad', 'NOTSET');
  if (!mode.startsWith('SAME'))
    return {
      stride,
      extent,
      before: mode === 'VALID' ? 0 : pads?.length === 2 * axes ? (pads[axis] ?? 0) : 0,
    };
  const length = lengthOf(node, input, axis + 2, context);
  if (length === null || output === null) return null;
  const total = Math.max(0, (output - 1) * stride + extent - length);
  return {
    stride,
    extent,
    before: mode === 'SAME_UPPER' ? Math.floor(total / 2) : Math.ceil(total / 2),
  };
}

/** Convolutions and pooling: the data is input `data`, the weight (for its kernel) input `weight`. */
export const windowed =
  (data: number, weight: number | null): FieldRule =>
  (node, region, context) => {
    const shape = context.shape(node.outputs[0] ?? '');
    const seen = region.map((part, axis) => {
      if (axis < 2 || part === null) return null;
      const output = shape?.[axis];
      const window = windowAt(
        node,
        axis - 2,
        region.length - 2,
        data,
        weight,
        typeof output === 'number' ? output : null,
        context,
      );
      if (window === null) return null;
      const start = part.first * window.stride - window.before;
      return interval(start, part.last * window.stride - window.before + window.extent - 1);
    });
    return node.inputs.map((_, index) =>
      index === data ? (weight === null ? keepChannels(seen, region) : seen) : null,
    );
  };

/** Pooling keeps batch and channels apart. */
const keepChannels = (seen: Region, region: Region): Region =>
  seen.map((part, axis) => (axis < 2 ? (region[axis] ?? null) : part));

/** ConvTranspose: the inputs whose stamp covers the region. */
export const transposedConvolution: FieldRule = (node, region, context) => {
  const axes = region.length - 2;
  const declared = ints(node, 'output_shape') !== null;
  const seen = region.map((part, axis) => {
    if (axis < 2 || part === null || declared) return null;
    const window = windowAt(node, axis - 2, axes, 0, 1, null, context);
    if (window === null) return null;
    return interval(
      Math.ceil((part.first + window.before - window.extent + 1) / window.stride),
      Math.floor((part.last + window.before) / window.stride),
    );
  });
  return [seen];
};

/** GlobalAveragePool and relatives. */
export const global: FieldRule = (_node, region) => [
  region.map((part, axis) => (axis < 2 ? part : null)),
];

/** Resize and Upsample: by the ratio of the sizes; linear looks at two neighbours, cubic at four. */
export const resized: FieldRule = (node, region, context) => {
  const output = context.shape(node.outputs[0] ?? '');
  const mode = text(node, 'mode', 'nearest');
  const cornersMeet =
    text(node, 'coordinate_transformation_mode', 'half_pixel') === 'align_corners';
  const seen = region.map((part, axis) => {
    const from = lengthOf(node, 0, axis, context);
    const to = output?.[axis];
    if (part === null || from === to) return part;
    if (from === null || typeof to !== 'number' || to === 0) return null;
    const ratio = cornersMeet && to > 1 ? (from - 1) / (to - 1) : from / to;
    const offset = sourceOffset(node, context.version, ratio);
    const reach = mode === 'nearest' ? 0.5 : mode === 'cubic' ? 2 : 1;
    const wide = int(node, 'antialias', 0) === 1 ? reach * Math.max(1, ratio) : reach;
    if (mode === 'nearest') return nearestSource(node, context.version, part, ratio, offset, from);
    const low = Math.ceil(part.first * ratio + offset - wide + 1e-6);
    const high = Math.floor(part.last * ratio + offset + wide - 1e-6);
    return interval(Math.min(Math.max(low, 0), from - 1), Math.min(Math.max(high, 0), from - 1));
  });
  return [seen];
};

/** Where output position 0 lies on the input. */
function sourceOffset(node: Node, version: number, ratio: number): number {
  const mode =
    node.op === 'Upsample' || version < 11
      ? 'asymmetric'
      : text(node, 'coordinate_transformation_mode', 'half_pixel');
  return mode.includes('half_pixel') ? 0.5 * ratio - 0.5 : 0;
}

function nearestSource(
  node: Node,
  version: number,
  part: Interval,
  ratio: number,
  offset: number,
  length: number,
): Interval {
  const mode =
    node.op === 'Upsample' || version < 11
      ? 'floor'
      : text(node, 'nearest_mode', 'round_prefer_floor');
  const pick = (at: number): number => {
    const source = at * ratio + offset;
    const rounded =
      mode === 'floor'
        ? Math.floor(source + 1e-6)
        : mode === 'ceil'
          ? Math.ceil(source - 1e-6)
          : mode === 'round_prefer_ceil'
            ? Math.round(source)
            : Math.ceil(source - 0.5);
    return Math.min(Math.max(rounded, 0), length - 1);
  };
  return interval(pick(part.first), pick(part.last));
}
