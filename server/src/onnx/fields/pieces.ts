import {
  type AxisInterval,
  everything,
  type FieldRule,
  int,
  interval,
  ints,
  lengthOf,
  rankOf,
  text,
} from './region';

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
