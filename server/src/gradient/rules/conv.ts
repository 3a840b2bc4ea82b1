import { otherAxes, type Operators } from '../operators';
import type { Rule, RuleNode } from '../rule';
import type { Value } from '../value';
import {
  type AxisWindow,
  convAttributes,
  extentOf,
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

export const deformConv: Rule = {
  ops: ['DeformConv'],
  vjp: n => n.refuse('its sampling positions have no derivative here'),
};

/**
 * The transposed convolution: for stride 1 a Conv with the flipped kernel, which ONNX Runtime vectorises also for depthwise kernels, else
 * ConvTranspose. The weight is rearranged by nodes that ONNX Runtime folds when it loads a constant one.
 */
function spread(
  e: Operators,
  g: Value,
  weight: Value,
  windows: readonly AxisWindow[],
  group: number,
): Value {
  const flips = windows.every(
    w => w.stride === 1 && Math.max(w.before, reachOf(w)) < extentOf(w) && w.before >= 0,
  );
  if (!flips) {
    const output_padding = windows.map(w => Math.max(0, -reachOf(w)));
    return e.node('ConvTranspose', [g, weight], {
      ...convAttributes(windows, group),
      output_padding,
    });
  }
  const flipped = windows.map(w => ({
    ...w,
    input: w.output,
    output: w.input,
    before: extentOf(w) - 1 - w.before,
  }));
  return e.node('Conv', [g, flippedKernel(e, weight, group)], convAttributes(flipped, group));
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
