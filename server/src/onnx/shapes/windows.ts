import type { Dimension } from '../../../../protocol/model';
import { size, type Shape } from './dimensions';
import type { NodeView } from './rule';

/** The geometry of a sliding window along each spatial axis, with every default filled in. */
export interface Windows {
  readonly kernel: readonly Dimension[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Before and after each axis; null where `auto_pad` derives them from the input. */
  readonly padsBefore: readonly number[] | null;
  readonly padsAfter: readonly number[] | null;
  readonly autoPad: string;
  readonly ceilMode: boolean;
}

const positive = (values: readonly number[] | null, axes: number): readonly number[] =>
  Array.from({ length: axes }, (_, axis) => Math.max(1, values?.[axis] ?? 1));

/**
 * Window attributes of a convolution or pooling node over `axes` spatial axes. `kernel` is used where the node has no
 * `kernel_shape` (a convolution may leave it to its weight).
 */
export function windowsOf(node: NodeView, axes: number, kernel: readonly Dimension[]): Windows {
  const autoPad = node.string('auto_pad', 'NOTSET');
  const pads = node.ints('pads');
  const explicit = autoPad === 'NOTSET' || autoPad === 'VALID' || autoPad === '';
  const padsFrom = (offset: number) =>
    Array.from({ length: axes }, (_, axis) =>
      autoPad === 'VALID' ? 0 : (pads?.[offset + axis] ?? 0),
    );
  const declared = node.ints('kernel_shape');
  return {
    kernel: Array.from({ length: axes }, (_, axis) => declared?.[axis] ?? kernel[axis] ?? null),
    strides: positive(node.ints('strides'), axes),
    dilations: positive(node.ints('dilations'), axes),
    padsBefore: explicit ? padsFrom(0) : null,
    padsAfter: explicit ? padsFrom(axes) : null,
    autoPad,
    ceilMode: node.int('ceil_mode', 0) !== 0,
  };
}

/**
 * Output size of one axis of Conv or a pooling operator. `auto_pad` SAME_*: ⌈in / stride⌉. Else
 * ⌊(in + pads − (dilation · (kernel − 1) + 1)) / stride⌋ + 1, rounded up in `ceil_mode`, where a last window that would start in
 * the padding behind the input does not count (as ONNX Runtime does). A symbolic size survives where the window leaves it as it is.
 */
export function windowedSize(length: Dimension, windows: Windows, axis: number): Dimension {
  const stride = windows.strides[axis] ?? 1;
  const before = windows.padsBefore?.[axis];
  const after = windows.padsAfter?.[axis];
  if (before === undefined || after === undefined) {
    if (typeof length === 'number') return size(Math.ceil(length / stride));
    return stride === 1 ? length : null;
  }
  const kernel = windows.kernel[axis];
  if (typeof kernel !== 'number') return null;
  const extent = (windows.dilations[axis] ?? 1) * (kernel - 1) + 1;
  const room = before + after - extent;
  if (typeof length !== 'number') return stride === 1 && room === -1 ? length : null;
  const steps = (length + room) / stride;
  if (!windows.ceilMode) return size(Math.floor(steps) + 1);
  const rounded = Math.ceil(steps) + 1;
  return size((rounded - 1) * stride >= length + before ? rounded - 1 : rounded);
}

/**
 * Output size of one axis of ConvTranspose: stride · (in − 1) + output_padding + extent − pads. `auto_pad` SAME_* pads that down to
 * in · stride, and never up (as ONNX Runtime does).
 */
export function transposedSize(
  length: Dimension,
  windows: Windows,
  outputPadding: number,
  axis: number,
): Dimension {
  const stride = windows.strides[axis] ?? 1;
  const kernel = windows.kernel[axis];
  if (typeof kernel !== 'number') return null;
  const extent = (windows.dilations[axis] ?? 1) * (kernel - 1) + 1;
  const before = windows.padsBefore?.[axis];
  const after = windows.padsAfter?.[axis];
  const grown = outputPadding + extent - stride - (before ?? 0) - (after ?? 0);
  const same = before === undefined || after === undefined;
  const growth = same ? Math.min(grown, 0) : grown;
  if (typeof length === 'number') return size(stride * length + growth);
  return stride === 1 && growth === 0 ? length : null;
}

/** Sizes behind batch and channels; null where the rank is unknown or too small. */
export const spatialSizes = (shape: Shape | null): Shape | null =>
  shape !== null && shape.length >= 2 ? shape.slice(2) : null;
