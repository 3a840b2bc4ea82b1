import { axesOf } from '../../onnx/shapes/dimensions';
import { sliceRange, type SliceRange } from '../../onnx/shapes/rules/pieces';
import type { Operators } from '../operators';
import type { Rule, RuleNode } from '../rule';
import type { Value } from '../value';

/**
 * Entries from starts to ends along axes: attributes before version 10, inputs since, with steps from then on. The gradient gets zeros where
 * entries were left out: between those of a step, then in front and behind.
 */
export const slice: Rule = {
  ops: ['Slice'],
  known: [1, 2, 3, 4],
  vjp: (n, e) => [() => spread(n, e, rangesOf(n))],
};

/** What is taken along each axis. */
function rangesOf(n: RuleNode): readonly SliceRange[] {
  const { shape } = n.x();
  const starts = n.intsOrInput('starts', 1) ?? [];
  const ends = n.intsOrInput('ends', 2) ?? [];
  const axes = axesOf(n.intsOrInput('axes', 3) ?? starts.map((_, axis) => axis), shape.length);
  const steps = n.intsOrInput('steps', 4);
  const ranges = shape.map(length => ({ start: 0, step: 1, count: length }));
  for (const [i, axis] of (axes ?? n.refuse('its axes are not those of its input')).entries()) {
    const range = sliceRange(shape[axis] ?? 0, starts[i] ?? 0, ends[i] ?? 0, steps?.[i] ?? 1);
    ranges[axis] = range ?? n.refuse('a step of 0 takes nothing');
  }
  return ranges;
}

function spread(n: RuleNode, e: Operators, ranges: readonly SliceRange[]): Value {
  const { shape } = n.x();
  if (n.dy.shape.includes(0)) return e.zeros(n.x());
  const backwards = ranges.flatMap(({ step }, axis) => (step < 0 ? [axis] : []));
  const apart = withGaps(
    e,
    e.reverse(n.dy, backwards),
    ranges.map(({ step, count }) => (count > 1 ? Math.abs(step) : 1)),
  );
  const begins = ranges.map(({ start, step, count }) =>
    step < 0 ? start + step * (count - 1) : start,
  );
  const ends = shape.map((length, axis) => length - (begins[axis] ?? 0) - (apart.shape[axis] ?? 0));
  return e.pad(apart, begins, ends);
}

/** `steps[i] − 1` zeros behind each entry of axis i. */
function withGaps(e: Operators, g: Value, steps: readonly number[]): Value {
  if (steps.every(step => step === 1)) return g;
  const single = g.shape.flatMap((count, axis) => (steps[axis] === 1 ? [count] : [count, 1]));
  const gaps = steps.flatMap(step => (step === 1 ? [0] : [0, step - 1]));
  const padded = e.pad(
    e.reshape(g, single),
    gaps.map(() => 0),
    gaps,
  );
  return e.reshape(
    padded,
    g.shape.map((count, axis) => count * (steps[axis] ?? 1)),
  );
}
