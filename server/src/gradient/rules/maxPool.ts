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
  const windows = [...windowsOf(n, n.ints('kernel_shape') ?? []).entries()].filter(
    ([, { kernel, stride }]) => kernel > 1 || stride > 1,
  );
  const stages: Stage[] = [];
  let x = e.cast(n.x(), g.dtype);
  for (const [i, window] of windows.toReversed()) {
    const axis = i + 2;
    const taps = isInside(window) ? innerTaps(e, x, axis, window) : tapsOf(e, x, axis, window);
    // the last stage gives what the forward run gave
    const isLast = stages.length === windows.length - 1;
    x = isLast ? e.cast(n.y(), g.dtype) : taps.reduce((a, b) => e.node('Max', [a, b]));
    stages.unshift({ axis, window, taps, max: x });
  }
  return stages;
}

/** True where every window lies inside the input and strides are longer than 1: then nothing has to be padded, which would copy all of it. */
const isInside = ({ before, input, output, kernel, stride, dilation }: AxisWindow): boolean =>
  stride > 1 &&
  before === 0 &&
  stride * output <= input &&
  (kernel - 1) * dilation + stride * (output - 1) < input;

/** As `tapsOf`: the first stride · output elements are dealt out, and what the last windows reach beyond them is joined on. */
function innerTaps(e: Operators, x: Value, axis: number, window: AxisWindow): readonly Value[] {
  const { stride, dilation, kernel, output } = window;
  const dealt = stride * output;
  const phases = deal(e, resized(e, x, axis, 0, dealt, 0), axis, stride);
  return Array.from({ length: kernel }, (_, u) => {
    const skipped = Math.floor((u * dilation) / stride);
    const phase = (u * dilation) % stride;
    const elements = phases[phase] ?? x;
    if (skipped === 0) return elements;
    const first = dealt + phase;
    const last = first + stride * (skipped - 1) + 1;
    const beyond =
      skipped === 1
        ? e.slice(x, [first], [last], [axis])
        : e.slice(x, [first], [last], [axis], [stride]);
    return e.concat([e.slice(elements, [skipped], [output], [axis]), beyond], axis);
  });
}

/** The parts of the taps back in their places: the inverse of `innerTaps`. */
function gatherInner(
  e: Operators,
  parts: readonly Value[],
  axis: number,
  { stride, dilation, input, output }: AxisWindow,
): Value {
  const phases = new Array<Value | undefined>(stride);
  const tail = new Array<Value | undefined>(input - stride * output);
  const plus = (a: Value | undefined, b: Value): Value => (a ? e.add(a, b) : b);
  for (const [u, part] of parts.entries()) {
    const skipped = Math.floor((u * dilation) / stride);
    const phase = (u * dilation) % stride;
    const inside = resized(e, part, axis, skipped, output, 0);
    phases[phase] = plus(phases[phase], inside);
    for (let j = 0; j < skipped; j++) {
      const place = phase + stride * j;
      const at = output - skipped + j;
      tail[place] = plus(tail[place], e.slice(part, [at], [at + 1], [axis]));
    }
  }
  const [some] = parts;
  if (!some) throw new Error('a window without a tap');
  const zeros = (length: number): Value => e.filled(some.dtype, some.shape.with(axis, length), 0);
  const all = Array.from(phases, phase => phase ?? zeros(output));
  const ends = Array.from(tail, each => each ?? zeros(1));
  return e.concat([collect(e, all, axis), ...ends], axis);
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
  const parts: Value[] = [];
  let rest = g;
  for (const tap of taps.slice(0, -1)) {
    const left = e.mul(rest, e.asNumber(e.less(tap, max), g.dtype));
    parts.push(e.sub(rest, left));
    rest = left;
  }
  parts.push(rest);
  return isInside(window)
    ? gatherInner(e, parts, axis, window)
    : gatherPadded(e, parts, axis, window);
}

/** The parts of the taps back in their places: the inverse of `tapsOf`. */
function gatherPadded(
  e: Operators,
  parts: readonly Value[],
  axis: number,
  window: AxisWindow,
): Value {
  const { stride, dilation, before, input } = window;
  const steps = stepsOf(window);
  const phases = new Array<Value | undefined>(stride);
  for (const [u, part] of parts.entries()) {
    const placed = resized(e, part, axis, Math.floor((u * dilation) / stride), steps, 0);
    const phase = (u * dilation) % stride;
    const sofar = phases[phase];
    phases[phase] = sofar ? e.add(sofar, placed) : placed;
  }
  const [some] = parts;
  if (!some) throw new Error('a window without a tap');
  const shape = some.shape.with(axis, steps);
  const all = Array.from(phases, phase => phase ?? e.filled(some.dtype, shape, 0));
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
