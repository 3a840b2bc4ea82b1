import type { RuleNode } from './rule';

/** A sliding window along one spatial axis: output o reads the inputs o · stride + u · dilation − before, u = 0 … kernel − 1. */
export interface AxisWindow {
  readonly input: number;
  readonly output: number;
  readonly kernel: number;
  readonly stride: number;
  readonly dilation: number;
  /** Padding in front of the input and behind it. */
  readonly before: number;
  readonly after: number;
}

/** How far a window reaches: dilation · (kernel − 1) + 1. */
export const extentOf = ({ kernel, dilation }: Pick<AxisWindow, 'kernel' | 'dilation'>): number =>
  dilation * (kernel - 1) + 1;

/** How far the last window reaches behind the input; negative where the input goes on, more than the padding in `ceil_mode`. */
export const reachOf = (window: AxisWindow): number =>
  (window.output - 1) * window.stride + extentOf(window) - window.before - window.input;

/** The windows of a convolution or a pooling operator [batch, channels, …spatial], one for each spatial axis. */
export const windowsOf = (n: RuleNode, kernel: readonly number[]): readonly AxisWindow[] =>
  slidingWindows(n, kernel, n.x().shape.slice(2), n.y().shape.slice(2));

/** The windows of the convolution that a ConvTranspose is the transpose of: from its output back to its input. */
export const transposedWindowsOf = (
  n: RuleNode,
  kernel: readonly number[],
): readonly AxisWindow[] =>
  slidingWindows(n, kernel, n.y().shape.slice(2), n.x().shape.slice(2), n.ints('output_padding'));

/**
 * `auto_pad` SAME_* shares out the padding that the sizes leave, the odd one behind (SAME_UPPER) or in front; `output_shape` of a ConvTranspose
 * does as SAME_LOWER where `auto_pad` does not say otherwise (as ONNX Runtime does).
 */
function slidingWindows(
  n: RuleNode,
  kernel: readonly number[],
  inputs: readonly number[],
  outputs: readonly number[],
  outputPadding: readonly number[] | null = null,
): readonly AxisWindow[] {
  const autoPad = n.string('auto_pad', 'NOTSET');
  const shared = autoPad.startsWith('SAME') || n.hasAttribute('output_shape');
  const pads = autoPad === 'VALID' ? null : n.ints('pads');
  return inputs.map((input, axis) => {
    const output = outputs[axis] ?? 1;
    const size = kernel[axis] ?? 1;
    const stride = n.ints('strides')?.[axis] ?? 1;
    const dilation = n.ints('dilations')?.[axis] ?? 1;
    const covered = (output - 1) * stride + extentOf({ kernel: size, dilation });
    const total = Math.max(0, covered + (outputPadding?.[axis] ?? 0) - input);
    const half = autoPad === 'SAME_UPPER' ? Math.floor(total / 2) : Math.ceil(total / 2);
    const [before, after] = shared
      ? [half, total - half]
      : [pads?.[axis] ?? 0, pads?.[axis + inputs.length] ?? 0];
    return { input, output, kernel: size, stride, dilation, before, after };
  });
}

/** Attributes of a Conv over these windows, padded behind as far as they reach. */
export const convAttributes = (windows: readonly AxisWindow[], group: number) => ({
  kernel_shape: windows.map(w => w.kernel),
  strides: windows.map(w => w.stride),
  dilations: windows.map(w => w.dilation),
  pads: [...windows.map(w => w.before), ...windows.map(w => Math.max(0, reachOf(w)))],
  group,
});
