import type { Dimension } from '../../../../protocol/model';
import {
  type AxisInterval,
  everything,
  type FieldRule,
  interval,
  type Region,
  sameLengths,
} from './region';

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

/** First and last place of a region in the flattened axes, and its parts; null for all of it. */
function flattened(lengths: readonly number[], region: Region): AxisInterval {
  const wide = lengths.flatMap((length, axis) =>
    length > 1 ? [{ length, part: region[axis] ?? null }] : [],
  );
  const [only] = wide;
  if (only === undefined || wide.every(({ part }) => part === null)) return null;
  if (wide.length === 1) return only.part;
  let [first, last] = [0, 0];
  for (const { length, part } of wide) {
    const clamp = (value: number) => Math.min(Math.max(value, 0), length - 1);
    first = first * length + clamp(part?.first ?? 0);
    last = last * length + clamp(part?.last ?? length - 1);
  }
  const factors = {
    lengths: wide.map(({ length }) => length),
    parts: wide.map(({ part }) => part),
  };
  return { first, last, factors };
}

/** The parts of these axes for a place in the axis that they are flattened to. */
function unflattened(lengths: readonly number[], place: AxisInterval): AxisInterval[] {
  const wide = lengths.filter(length => length > 1);
  if (place === null) return lengths.map(() => null);
  if (wide.length === 1) return lengths.map(length => (length > 1 ? place : null));
  if (place.factors !== undefined && sameLengths(place.factors.lengths, wide)) {
    const parts = place.factors.parts.values();
    return lengths.map(length => (length > 1 ? (parts.next().value ?? null) : null));
  }
  let apart = false;
  let rest = wide.reduce((product, length) => product * length, 1);
  return lengths.map(length => {
    if (length === 1) return null;
    rest /= length;
    const at = (value: number) => Math.floor(Math.max(value, 0) / rest) % length;
    const part = apart ? null : interval(at(place.first), at(place.last));
    apart ||= part !== null && part.first !== part.last;
    return part;
  });
}
