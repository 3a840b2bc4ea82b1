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
 * one group.
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

/** Groups of the axes in these ranges, closed as soon as the products are equal. */
function middle(
  input: Shape,
  output: Shape,
  [i0, i1]: readonly [number, number],
  [o0, o1]: readonly [number, number],
): readonly ReshapeGroup[] {
  if (i0 === i1 && o0 === o1) return [];
  const whole: ReshapeGroup[] = [{ input: [i0, i1], output: [o0, o1] }];
  const groups: ReshapeGroup[] = [];
  let [i, o] = [i0, o0];
  while (i < i1 && o < o1) {
    const start = [i, o] as const;
    let above = input[i++] ?? null;
    let below = output[o++] ?? null;
    while (above !== below) {
      if (typeof above !== 'number' || typeof below !== 'number') return whole;
      const next: Dimension = above < below ? (input[i++] ?? null) : (output[o++] ?? null);
      if (typeof next !== 'number' || i > i1 || o > o1) return whole;
      if (above < below) above *= next;
      else below *= next;
    }
    if (above === null) return whole;
    groups.push({ input: [start[0], i], output: [start[1], o] });
  }
  return trailingOnes(groups, [i, i1], [o, o1]);
}

/** Sizes of 1 that are left over belong to the last group. */
function trailingOnes(
  groups: readonly ReshapeGroup[],
  [i, i1]: readonly [number, number],
  [o, o1]: readonly [number, number],
): readonly ReshapeGroup[] {
  const last = groups.at(-1);
  if (!last || (i === i1 && o === o1)) return groups;
  return [...groups.slice(0, -1), { input: [last.input[0], i1], output: [last.output[0], o1] }];
}
