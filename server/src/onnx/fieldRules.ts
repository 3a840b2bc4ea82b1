import type { Dimension } from '../../../protocol/model';
import type { Node } from './graph';

/** First and last index along one axis, both included; null: all of it. First after last: nothing. */
export interface Interval {
  readonly first: number;
  readonly last: number;
}
export type AxisInterval = Interval | null;

/** Which part of a tensor is looked at, axis by axis. */
export type Region = readonly AxisInterval[];

/** What a rule can ask about the graph around a node. */
export interface FieldContext {
  readonly version: number;
  shape(name: string): readonly Dimension[] | null;
  /** Elements of a constant; null where the name is none. */
  constant(name: string): readonly number[] | null;
}

/** From the part of an output that is looked at to the part of each input that it is made from; null: nothing of that input. */
export type FieldRule = (
  node: Node,
  region: Region,
  context: FieldContext,
  output: number,
) => readonly (Region | null)[];

const interval = (first: number, last: number): Interval => ({ first, last });

export const isEmpty = (region: Region): boolean =>
  region.some(part => part !== null && part.first > part.last);

/** The smallest part that holds both. */
export const hull = (a: Region, b: Region): Region =>
  a.map((part, axis) => {
    const other = b[axis] ?? null;
    if (part === null || other === null) return null;
    return interval(Math.min(part.first, other.first), Math.max(part.last, other.last));
  });

const int = (node: Node, name: string, otherwise: number): number => {
  const attribute = node.attributes.get(name);
  return attribute?.kind === 'int' ? attribute.value : otherwise;
};
const ints = (node: Node, name: string): readonly number[] | null => {
  const attribute = node.attributes.get(name);
  return attribute?.kind === 'ints' ? attribute.value : null;
};
const text = (node: Node, name: string, otherwise: string): string => {
  const attribute = node.attributes.get(name);
  return attribute?.kind === 'string' ? attribute.value : otherwise;
};
const everything = (rank: number): Region => new Array<AxisInterval>(rank).fill(null);
const rankOf = (node: Node, index: number, context: FieldContext): number =>
  context.shape(node.inputs[index] ?? '')?.length ?? 0;
const lengthOf = (
  node: Node,
  index: number,
  axis: number,
  context: FieldContext,
): number | null => {
  const length = context.shape(node.inputs[index] ?? '')?.[axis];
  return typeof length === 'number' ? length : null;
};

/** All of every input: what mixes positions in a way that is not followed. */
export const whole: FieldRule = (node, _region, context) =>
  node.inputs.map((_, index) => everything(rankOf(node, index, context)));

/** Element-wise operators with broadcasting: an axis of length 1 is looked at whole. */
export const aligned: FieldRule = (node, region, context) =>
  node.inputs.map(name => {
    const shape = context.shape(name);
    if (shape === null || shape.length > region.length) return everything(shape?.length ?? 0);
    const offset = region.length - shape.length;
    return shape.map((length, axis) => (length === 1 ? null : (region[axis + offset] ?? null)));
  });

/** As `aligned`, but these axes of the first input are looked at whole. */
const mixing =
  (axes: (node: Node, rank: number, version: number) => readonly number[]): FieldRule =>
  (node, region, context) => {
    const mixed = new Set(
      axes(node, region.length, context.version).map(axis =>
        axis < 0 ? axis + region.length : axis,
      ),
    );
    return [region.map((part, axis) => (mixed.has(axis) ? null : part))];
  };
const fromAxis = (first: number, rank: number): readonly number[] => {
  const start = first < 0 ? first + rank : first;
  return Array.from({ length: Math.max(0, rank - start) }, (_, index) => start + index);
};

/** Softmax and relatives: one axis since version 13, before that all from `axis` on. */
export const softmax = mixing((node, rank, version) =>
  version >= 13 ? [int(node, 'axis', -1)] : fromAxis(int(node, 'axis', 1), rank),
);
export const layerNormalization = mixing((node, rank) => fromAxis(int(node, 'axis', -1), rank));
export const instanceNormalization = mixing((_, rank) => fromAxis(1, rank));
export const channelNormalization = mixing(() => [1]);
export const axisNormalization = mixing(node => [int(node, 'axis', -1)]);
export const meanVarianceNormalization = mixing(node => ints(node, 'axes') ?? [0, 2, 3]);
/** BatchNormalization, PRelu and others whose further inputs are parameters. */
export const first: FieldRule = (_node, region) => [region];

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

export const transposed: FieldRule = (node, region) => {
  const order = ints(node, 'perm') ?? region.map((_, axis) => region.length - 1 - axis);
  return [region.map((_, axis) => region[order.indexOf(axis)] ?? null)];
};

export const concatenated: FieldRule = (node, region, context) => {
  const along = int(node, 'axis', 1);
  const axis = along < 0 ? along + region.length : along;
  const part = region[axis] ?? null;
  let start: number | null = 0;
  return node.inputs.map((_, index) => {
    const length = lengthOf(node, index, axis, context);
    const begin: number | null = start;
    start = begin === null || length === null ? null : begin + length;
    if (part === null || begin === null || length === null)
      return region.map((other, at) => (at === axis ? null : other));
    const own = interval(Math.max(part.first - begin, 0), Math.min(part.last - begin, length - 1));
    return own.first > own.last ? null : region.map((other, at) => (at === axis ? own : other));
  });
};

export const padded: FieldRule = (node, region, context) => {
  const amounts =
    (node.inputs[1] ?? '') === ''
      ? (ints(node, 'pads') ?? ints(node, 'paddings'))
      : context.constant(node.inputs[1] ?? '');
  const simple = text(node, 'mode', 'constant') === 'constant' && (node.inputs[3] ?? '') === '';
  if (amounts === null || !simple)
    return [
      region.map((part, axis) =>
        amounts?.[axis] === 0 && amounts[axis + region.length] === 0 ? part : null,
      ),
    ];
  return [
    region.map((part, axis) =>
      part === null
        ? null
        : interval(part.first - (amounts[axis] ?? 0), part.last - (amounts[axis] ?? 0)),
    ),
  ];
};

export const sliced: FieldRule = (node, region, context) => {
  const read = (index: number, name: string) =>
    node.inputs.length > 1 ? context.constant(node.inputs[index] ?? '') : ints(node, name);
  const starts = read(1, 'starts');
  const axes = read(3, 'axes') ?? starts?.map((_, index) => index) ?? null;
  const steps = read(4, 'steps') ?? starts?.map(() => 1) ?? null;
  if (starts === null || axes === null || steps === null) return [everything(region.length)];
  const seen = [...region];
  for (const [index, given] of axes.entries()) {
    const axis = given < 0 ? given + region.length : given;
    const part = region[axis] ?? null;
    const length = lengthOf(node, 0, axis, context);
    const [start = 0, step = 1] = [starts[index], steps[index]];
    if (part === null || length === null) continue;
    const from = Math.min(
      Math.max(start < 0 ? start + length : start, 0),
      step < 0 ? length - 1 : length,
    );
    const [a, b] = [from + part.first * step, from + part.last * step];
    seen[axis] = interval(Math.min(a, b), Math.max(a, b));
  }
  return [seen];
};

export const split: FieldRule = (node, region, context, output) => {
  const along = int(node, 'axis', 0);
  const axis = along < 0 ? along + region.length : along;
  let begin = 0;
  for (const name of node.outputs.slice(0, output)) {
    const length = context.shape(name)?.[axis];
    if (typeof length !== 'number') return [region.map((part, at) => (at === axis ? null : part))];
    begin += length;
  }
  return [
    region.map((part, at) =>
      at === axis && part !== null ? interval(part.first + begin, part.last + begin) : part,
    ),
  ];
};

/** Gather: what stands behind and before `axis` is carried over, `axis` itself is looked at whole unless one index is picked. */
export const gathered: FieldRule = (node, region, context) => {
  const rank = rankOf(node, 0, context);
  const given = int(node, 'axis', 0);
  const axis = given < 0 ? given + rank : given;
  const picked = context.constant(node.inputs[1] ?? '');
  const behind = region.length - (rank - axis - 1);
  const only = picked?.length === 1 ? (picked[0] ?? 0) : null;
  const length = lengthOf(node, 0, axis, context);
  const place = only === null ? null : only >= 0 ? only : length === null ? null : only + length;
  const seen = [
    ...region.slice(0, axis),
    place === null ? null : interval(place, place),
    ...region.slice(behind),
  ];
  return [seen, everything(rankOf(node, 1, context))];
};

export const depthToSpace: FieldRule = (node, region) => {
  const block = Math.max(1, int(node, 'blocksize', 1));
  const scaled = (part: AxisInterval) =>
    part && interval(Math.floor(part.first / block), Math.floor(part.last / block));
  return [region.map((part, axis) => (axis === 1 ? null : axis >= 2 ? scaled(part) : part))];
};
export const spaceToDepth: FieldRule = (node, region) => {
  const block = Math.max(1, int(node, 'blocksize', 1));
  const scaled = (part: AxisInterval) =>
    part && interval(part.first * block, part.last * block + block - 1);
  return [region.map((part, axis) => (axis === 1 ? null : axis >= 2 ? scaled(part) : part))];
};

/** Reductions: the reduced axes are looked at whole. */
export const reduced: FieldRule = (node, region, context) => {
  const rank = rankOf(node, 0, context);
  const single = node.op.startsWith('Arg') ? [int(node, 'axis', 0)] : null;
  const listed =
    single ??
    ((node.inputs[1] ?? '') === '' ? ints(node, 'axes') : context.constant(node.inputs[1] ?? ''));
  const gone = new Set(
    (listed ?? Array.from({ length: rank }, (_, axis) => axis)).map(axis =>
      axis < 0 ? axis + rank : axis,
    ),
  );
  const keeps = int(node, 'keepdims', 1) !== 0;
  let next = 0;
  const seen = Array.from({ length: rank }, (_, axis) => {
    if (gone.has(axis)) {
      if (keeps) next++;
      return null;
    }
    return region[next++] ?? null;
  });
  return [seen];
};

/** MatMul and Gemm: rows of A, columns of B, batch axes; the summed axis is looked at whole. */
export const multiplied: FieldRule = (node, region, context) => {
  const swapped = int(node, 'transA', 0) !== 0 || int(node, 'transB', 0) !== 0;
  return [0, 1].map(index => {
    const rank = rankOf(node, index, context);
    if (rank < 2 || swapped || region.length < rank) return everything(rank);
    const offset = region.length - rank;
    const summed = index === 0 ? rank - 1 : rank - 2;
    return Array.from({ length: rank }, (_, axis) => {
      const broadcast = axis < rank - 2 && lengthOf(node, index, axis, context) === 1;
      return axis === summed || broadcast ? null : (region[axis + offset] ?? null);
    });
  });
};

/** Reshape and relatives: axes whose sizes match are carried over one by one, others through their place in the flattened group. */
export const reshaped: FieldRule = (node, region, context) => {
  const from = context.shape(node.inputs[0] ?? '');
  const to = context.shape(node.outputs[0] ?? '');
  const known = (shape: readonly Dimension[] | null): shape is readonly number[] =>
    shape?.every(length => typeof length === 'number' && length > 0) ?? false;
  if (!known(from) || !known(to)) return [everything(from?.length ?? 0)];
  return [regroup(from, to, region)];
};

function regroup(from: readonly number[], to: readonly number[], region: Region): Region {
  const seen: AxisInterval[] = [];
  let [at, into] = [0, 0];
  while (at < from.length || into < to.length) {
    const [a, b] = [at, into];
    let left = from[at++] ?? 1;
    let right = to[into++] ?? 1;
    while (left !== right && (at < from.length || into < to.length)) {
      if (left < right && at < from.length) left *= from[at++] ?? 1;
      else if (into < to.length) right *= to[into++] ?? 1;
      else left *= from[at++] ?? 1;
    }
    seen.push(
      ...unflattened(from.slice(a, at), flattened(to.slice(b, into), region.slice(b, into))),
    );
  }
  return seen;
}

/** First and last place of a region in the flattened axes; null for all of it. */
function flattened(lengths: readonly number[], region: Region): AxisInterval {
  if (lengths.every((length, axis) => length === 1 || (region[axis] ?? null) === null)) return null;
  const only = lengths.filter(length => length > 1).length === 1;
  let [first, last] = [0, 0];
  for (const [axis, length] of lengths.entries()) {
    const part = region[axis] ?? null;
    if (length === 1) continue;
    const clamp = (value: number) => (only ? value : Math.min(Math.max(value, 0), length - 1));
    first = first * length + clamp(part?.first ?? 0);
    last = last * length + clamp(part?.last ?? length - 1);
  }
  return interval(first, last);
}

function unflattened(lengths: readonly number[], place: AxisInterval): AxisInterval[] {
  const wide = lengths.filter(length => length > 1).length;
  if (place === null) return lengths.map(() => null);
  if (wide === 1) return lengths.map(length => (length > 1 ? place : null));
  let apart = false;
  let rest = lengths.reduce((product, length) => product * length, 1);
  return lengths.map(length => {
    rest /= length;
    const [a, b] = [
      Math.floor(place.first / rest) % length,
      Math.floor(place.last / rest) % length,
    ];
    const part = apart ? null : interval(a, b);
    apart ||= a !== b;
    return part;
  });
}
