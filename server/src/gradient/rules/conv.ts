import { otherAxes, type Operators } from '../operators';
import { collect } from '../phases';
import type { Rule, RuleNode } from '../rule';
import type { Value } from '../value';
import {
  type AxisWindow,
  convAttributes,
  reachOf,
  transposedWindowsOf,
  windowsOf,
} from '../windows';

/** y = x ∗ w + b, w of [out, in / group, …kernel]. */
export const conv: Rule = {
  ops: ['Conv'],
  vjp: (n, e) => {
    const windows = windowsOf(n, n.x(1).shape.slice(2));
    const group = n.int('group', 1);
    return [
      () => spread(e, n.dy, n.x(1), windows, group),
      () => weightGradient(e, n.x(0), n.dy, windows, group),
      () => biasGradient(n, e),
    ];
  },
};

/** The transpose of a convolution as an operator of its own, w of [in, out / group, …kernel]: dx is that convolution. */
export const convTranspose: Rule = {
  ops: ['ConvTranspose'],
  vjp: (n, e) => {
    const windows = transposedWindowsOf(n, n.x(1).shape.slice(2));
    const group = n.int('group', 1);
    return [
      () => {
        const attributes = convAttributes(windows, group);
        return cropped(e, e.node('Conv', [n.dy, n.x(1)], attributes), n.x(0).shape);
      },
      () => weightGradient(e, n.dy, n.x(0), windows, group),
      () => biasGradient(n, e),
    ];
  },
};

/** More phases of a stride than this are more nodes than they are worth. */
const MOST_PHASES = 9;

/**
 * The transposed convolution. Where the stride is 1 it is a Conv with the flipped kernel; with groups and another stride it is one Conv for
 * each phase of the stride, with every so many elements of that kernel, since ONNX Runtime works on the groups of ConvTranspose one by one. The
 * weight is rearranged by nodes that ONNX Runtime folds when it loads a constant one.
 */
function spread(
  e: Operators,
  g: Value,
  weight: Value,
  windows: readonly AxisWindow[],
  group: number,
): Value {
  const phases = windows.map(window =>
    Array.from({ length: window.stride }, (_, b) => phaseOf(window, b)),
  );
  const regular = phases
    .flat()
    .every(({ picks, window }) => picks.length > 0 && window.before >= 0 && reachOf(window) >= 0);
  const count = windows.reduce((product, { stride }) => product * stride, 1);
  if (regular && count <= (group > 1 ? MOST_PHASES : 1)) {
    const whole = interleaved(e, g, flippedKernel(e, weight, group), phases, group);
    return cropped(e, whole, [...whole.shape.slice(0, 2), ...windows.map(w => w.input)]);
  }
  const output_padding = windows.map(w => Math.max(0, -reachOf(w)));
  return e.node('ConvTranspose', [g, weight], {
    ...convAttributes(windows, group),
    output_padding,
  });
}

/** What an input b, b + stride, … along an axis takes from g: the elements of the flipped kernel, and their window over g. */
interface Phase {
  readonly picks: readonly number[];
  readonly window: AxisWindow;
}

function phaseOf(
  { input, output, kernel, stride, dilation, before }: AxisWindow,
  b: number,
): Phase {
  const numerator = (pick: number): number => b + before - (kernel - 1 - pick) * dilation;
  const picks = [...Array(kernel).keys()].filter(pick => numerator(pick) % stride === 0);
  const [first = 0, second = first + 1] = picks.map(pick => numerator(pick) / stride);
  return {
    picks,
    window: {
      input: output,
      output: Math.ceil(input / stride),
      kernel: picks.length,
      stride: 1,
      dilation: second - first,
      before: -first,
      after: 0,
    },
  };
}

/** Phases of the axes that are left to choose from put together, for the kernel with the elements that were chosen so far. */
function interleaved(
  e: Operators,
  g: Value,
  kernel: Value,
  phases: readonly (readonly Phase[])[],
  group: number,
  chosen: readonly Phase[] = [],
): Value {
  const axis = chosen.length + 2;
  const [choices, ...rest] = phases;
  if (!choices) {
    const windows = chosen.map(phase => phase.window);
    return e.node('Conv', [g, kernel], convAttributes(windows, group));
  }
  const parts = choices.map(phase => {
    const whole = phase.picks.length === kernel.shape[axis];
    const part = whole ? kernel : e.gatherConstant(kernel, phase.picks, axis);
    return interleaved(e, g, part, rest, group, [...chosen, phase]);
  });
  return collect(e, parts, axis);
}

/** [out, in / group, …kernel] as [in, out / group, …kernel turned round]. */
function flippedKernel(e: Operators, weight: Value, group: number): Value {
  const [out = 1, inPerGroup = 1, ...kernel] = weight.shape;
  const outPerGroup = out / group;
  const axes = kernel.map((_, axis) => axis);
  const groups = e.reshape(weight, [group, outPerGroup, inPerGroup, ...kernel]);
  const swapped = e.transpose(groups, [0, 2, 1, ...axes.map(axis => axis + 3)]);
  const whole = e.reshape(swapped, [group * inPerGroup, outPerGroup, ...kernel]);
  return e.reverse(
    whole,
    axes.map(axis => axis + 2),
  );
}

/**
 * Of the weight of a convolution from `x` to `g`: a convolution of x over g, batch and channels exchanged, in which strides and dilations have
 * changed places. The groups of x move to where the batch is summed over.
 */
function weightGradient(
  e: Operators,
  x: Value,
  g: Value,
  windows: readonly AxisWindow[],
  group: number,
): Value {
  const [batch = 1, channels = 1, ...sizes] = x.shape;
  const perGroup = channels / group;
  const axes = sizes.map((_, axis) => axis);
  const grouped = e.reshape(x, [batch, group, perGroup, ...sizes]);
  const turned = e.transpose(grouped, [2, 1, 0, ...axes.map(axis => axis + 3)]);
  const swap = [1, 0, ...axes.map(axis => axis + 2)];
  const exchanged = windows.map(w => ({
    ...w,
    kernel: w.output,
    output: w.kernel,
    stride: w.dilation,
    dilation: w.stride,
  }));
  const products = e.node(
    'Conv',
    [e.reshape(turned, [perGroup, group * batch, ...sizes]), e.transpose(g, swap)],
    convAttributes(exchanged, group),
  );
  return cropped(e, e.transpose(products, swap), [
    g.shape[1] ?? 1,
    perGroup,
    ...windows.map(w => w.kernel),
  ]);
}

function biasGradient(n: RuleNode, e: Operators): Value {
  return e.reshape(e.reduceSum(n.dy, otherAxes(n.dy, [1])), n.x(2).shape);
}

/** Without what stands behind a size: from inputs that no window reached. */
function cropped(e: Operators, a: Value, shape: readonly number[]): Value {
  const axes = a.shape.flatMap((size, axis) => (size === shape[axis] ? [] : [axis]));
  return e.slice(
    a,
    axes.map(() => 0),
    axes.map(axis => shape[axis] ?? 0),
    axes,
  );
}
