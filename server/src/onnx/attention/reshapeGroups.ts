import type { Dimension } from '../../../../protocol/model';
import type { Shape } from '../shapes/dimensions';

/** Axes of the input of a Reshape that become these axes of its output; both ranges count from the front, the end excluded. */
export interface ReshapeGroup {
  readonly input: readonly [start: number, end: number];
  readonly output: readonly [start: number, end: number];
}

/**
 * The smallest groups of neighbouring axes that a Reshape turns into each other: [B, T, 3·D] → [B, T, 3, h, d] has the groups B, T and
 * 3·D → 3, h, d. Symbolic sizes are equal where their names are. Where sizes are open, all axes between those that are equal at both ends are
 * one group, unless what is known tells which of them correspond.
 */
export function reshapeGroups(input: Shape, output: Shape): readonly ReshapeGroup[] {
  const most = Math.min(input.length, output.length);
  let front = 0;
  while (front < most && isSame(input[front], output[front])) front++;
  let back = 0;
  while (back < most - front && isSame(input.at(-1 - back), output.at(-1 - back))) back++;
  const pairs = (count: number, from: number, to: number): ReshapeGroup[] =>
    Array.from({ length: count }, (_, i) => ({
      input: [from + i, from + i + 1],
      output: [to + i, to + i + 1],
    }));
  const [inputEnd, outputEnd] = [input.length - back, output.length - back];
  return [
    ...pairs(front, 0, 0),
    ...middle(input, output, [front, inputEnd], [front, outputEnd]),
    ...pairs(back, inputEnd, outputEnd),
  ];
}

const isSame = (a: Dimension | undefined, b: Dimension | undefined): boolean =>
  a !== undefined && a !== null && a === b;

type Range = readonly [start: number, end: number];

/** Groups of the axes in these ranges. Open sizes that correspond to each other divide them. */
function middle(input: Shape, output: Shape, from: Range, to: Range): readonly ReshapeGroup[] {
  const above = openAxes(input, from);
  const below = openAxes(output, to);
  const alike = above.length === below.length && knownSize(input, from) === knownSize(output, to);
  if (above.length === 0 || !alike) return closed(input, output, from, to);
  const groups: ReshapeGroup[] = [];
  let [i, o] = [from[0], to[0]];
  for (const [at, open] of [...above, from[1]].entries()) {
    const other = below[at] ?? to[1];
    const [left, right]: [Range, Range] = [
      [i, open],
      [o, other],
    ];
    if (knownSize(input, left) !== knownSize(output, right)) return whole(from, to);
    groups.push(...closed(input, output, left, right));
    if (at < above.length) groups.push(...whole([open, open + 1], [other, other + 1]));
    [i, o] = [open + 1, other + 1];
  }
  return groups;
}

const whole = (input: Range, output: Range): readonly ReshapeGroup[] => [{ input, output }];

const openAxes = (shape: Shape, [start, end]: Range): number[] =>
  shape.flatMap((size, at) => (at >= start && at < end && typeof size !== 'number' ? [at] : []));

const knownSize = (shape: Shape, [start, end]: Range): number =>
  shape
    .slice(start, end)
    .reduce<number>((product, size) => (typeof size === 'number' ? product * size : product), 1);

/** Groups of axes of known sizes, closed as soon as the products are equal. */
function closed(input: Shape, output: Shape, from: Range, to: Range): readonly ReshapeGroup[] {
  const [i1, o1] = [from[1], to[1]];
  let [i, o] = [from[0], to[0]];
  if (i === i1 && o === o1) return [];
  const groups: ReshapeGroup[] = [];
  while (i < i1 && o < o1) {
    const [start, beginning] = [i, o];
    let above = input[i++] ?? null;
    let below = output[o++] ?? null;
    while (above !== below) {
      if (typeof above !== 'number' || typeof below !== 'number') return whole(from, to);
      const next: Dimension = above < below ? (input[i++] ?? null) : (output[o++] ?? null);
      if (typeof next !== 'number' || i > i1 || o > o1) return whole(from, to);
      if (above < below) above *= next;
      else below *= next;
    }
    if (above === null) return whole(from, to);
    groups.push({ input: [start, i], output: [beginning, o] });
  }
  return trailingOnes(groups, [i, i1], [o, o1]);
}

/** Sizes of 1 that are left over belong to the last group. */
function trailingOnes(
  groups: readonly ReshapeGroup[],
  [i, i1]: Range,
  [o, o1]: Range,
): readonly ReshapeGroup[] {
  const last = groups.at(-1);
  if (i === i1 && o === o1) return groups;
  if (!last) return whole([i, i1], [o, o1]);
  return [...groups.slice(0, -1), { input: [last.input[0], i1], output: [last.output[0], o1] }];
}
