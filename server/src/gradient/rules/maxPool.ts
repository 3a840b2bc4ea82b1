import type { Operators } from '../operators';
import { collect, deal } from '../phases';
import type { Rule, RuleNode } from '../rule';
import type { Value } from '../value';
import { type AxisWindow, windowsOf } from '../windows';

/** One axis of the pooling: the elements under each position of the kernel, each of the output's length, and their maximum. */
interface Stage {
  readonly axis: number;
  readonly window: AxisWindow;
  readonly taps: readonly Value[];
  readonly max: Value;
}

/**
 * The largest element of each window, whose gradient goes to the first one in row-major order that is equal to it. Pooling is done axis by
 * axis, the last one first; on the way back the first slice that reaches the maximum takes the gradient, then the first row in it, then the
 * first element of that row: this is the row-major order. It takes k + k instead of k · k comparisons and no indices, so all of it is vectorised.
 */
export const maxPool: Rule = {
  ops: ['MaxPool'],
  vjp: (n, e) => [
    () => {
      const g = n.dy;
      return stagesOf(n, e, g).reduce((rest, stage) => sendBack(e, stage, rest), g);
    },
  ],
};

/** From the first axis to the last. Integers of quantised models are compared as floats, which is exact. */
function stagesOf(n: RuleNode, e: Operators, g: Value): readonly Stage[] {
  const windows = windowsOf(n, n.ints('kernel_shape') ?? []);
  const stages: Stage[] = [];
  let x = e.cast(n.x(), g.dtype);
  for (const [i, window] of [...windows.entries()].reverse()) {
    if (window.kernel === 1 && window.stride === 1) continue;
    const axis = i + 2;
    const taps = tapsOf(e, x, axis, window);
    x = taps.reduce((a, b) => e.node('Max', [a, b]));
    stages.unshift({ axis, window, taps, max: x });
  }
  return stages;
}

/** Steps of `stride` elements that the windows span, the last one rounded up. */
const stepsOf = ({ output, kernel, stride, dilation }: AxisWindow): number =>
  output + Math.floor(((kernel - 1) * dilation) / stride);

/** Less than everything else in a tensor. */
const LOWEST = -3.4028234663852886e38;

/** The elements under each position of the kernel along an axis: those of a step of `stride` elements are dealt out to phases. */
function tapsOf(e: Operators, x: Value, axis: number, window: AxisWindow): readonly Value[] {
  const { stride, dilation, kernel, before, output } = window;
  const steps = stepsOf(window);
  const padded = resized(e, x, axis, before, steps * stride, LOWEST);
  const phases = deal(e, padded, axis, stride);
  return Array.from({ length: kernel }, (_, u) => {
    const start = Math.floor((u * dilation) / stride);
    const phase = phases[(u * dilation) % stride] ?? padded;
    return e.slice(phase, [start], [start + output], [axis]);
  });
}

/** The gradient of the elements along an axis from that of their maxima: each position takes what the ones before it left. */
function sendBack(e: Operators, { axis, window, taps, max }: Stage, g: Value): Value {
  const { stride, dilation, before, input } = window;
  const steps = stepsOf(window);
  const phases = new Array<Value | undefined>(stride);
  let rest = g;
  for (const [u, tap] of taps.entries()) {
    let part = rest;
    if (u < taps.length - 1) {
      const left = e.mul(rest, e.asNumber(e.less(tap, max), g.dtype));
      part = e.sub(rest, left);
      rest = left;
    }
    const start = Math.floor((u * dilation) / stride);
    const placed = resized(e, part, axis, start, steps, 0);
    const phase = (u * dilation) % stride;
    const sofar = phases[phase];
    phases[phase] = sofar ? e.add(sofar, placed) : placed;
  }
  const shape = g.shape.with(axis, steps);
  const all = Array.from(phases, phase => phase ?? e.filled(g.dtype, shape, 0));
  return resized(e, collect(e, all, axis), axis, -before, input, 0);
}

/**
 * An axis with `before` elements of this value more (or, negative, elements fewer) in front, and `size` elements in all. Joins constants to it,
 * which takes half the time of Pad.
 */
function resized(
  e: Operators,
  a: Value,
  axis: number,
  before: number,
  size: number,
  value: number,
): Value {
  const length = a.shape[axis] ?? 0;
  const after = size - length - before;
  const kept =
    before < 0 || after < 0
      ? e.slice(a, [Math.max(0, -before)], [length + Math.min(0, after)], [axis])
      : a;
  const filling = (amount: number): readonly Value[] =>
    amount > 0 ? [e.filled(a.dtype, a.shape.with(axis, amount), value)] : [];
  return e.concat([...filling(before), kept, ...filling(after)], axis);
}
