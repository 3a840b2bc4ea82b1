import { axisFrom0, type Operators } from '../operators';
import type { Rule, RuleNode } from '../rule';
import type { Value } from '../value';

/** Pieces along an axis. Pieces that do not lead to the target get zeros. */
export const split: Rule = {
  ops: ['Split'],
  known: [1],
  vjp: (n, e) => [() => joined(n, e)],
};

function joined(n: RuleNode, e: Operators): Value {
  const { dtype, shape } = n.x();
  const axis = axisFrom0(n.int('axis', 0), shape.length);
  const sizes = pieceSizes(n, shape[axis] ?? 0);
  const along = (size: number, other: readonly number[]): number[] =>
    other.map((length, i) => (i === axis ? size : length));
  const [first, ...more] = sizes.flatMap((_, i) => (n.dyOf(i) ? [i] : []));
  if (first !== undefined && more.length === 0) {
    const none = shape.map(() => 0);
    const before = along(total(sizes.slice(0, first)), none);
    return e.pad(n.dyOf(first) ?? n.dy, before, along(total(sizes.slice(first + 1)), none));
  }
  const parts = sizes.map((size, i) => n.dyOf(i) ?? e.filled(dtype, along(size, shape), 0));
  return e.concat(parts, axis);
}

/** From the attribute (before 13) or input 1; else equal pieces, the last one smaller. */
function pieceSizes(n: RuleNode, whole: number): readonly number[] {
  const given = n.intsOrInput('split', 1);
  if (given) return given;
  const size = Math.ceil(whole / n.outputCount);
  return Array.from({ length: n.outputCount }, (_, i) =>
    Math.max(0, Math.min(size, whole - size * i)),
  );
}

const total = (sizes: readonly number[]): number => sizes.reduce((a, b) => a + b, 0);
