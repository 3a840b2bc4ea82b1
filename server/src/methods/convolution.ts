import type { Attribute } from '../onnx/graph';
import type { ReadElement } from './filterBank';

/** How a convolution moves its kernel, as written in its attributes (ONNX Conv). */
export interface ConvAttributes {
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  readonly groups: number;
  readonly autoPad: 'NOTSET' | 'SAME_UPPER' | 'SAME_LOWER' | 'VALID';
  /** Begins, then ends, of all spatial axes; as written, before `auto_pad`. */
  readonly pads: readonly number[];
}

/** Reads the attributes of a Conv-like node with `rank` spatial axes; what is left out has the operator's defaults. */
export function convAttributes(
  attributes: ReadonlyMap<string, Attribute>,
  rank: number,
): ConvAttributes {
  const ints = (name: string, fallback: number, length: number): readonly number[] => {
    const attribute = attributes.get(name);
    return attribute?.kind === 'ints' && attribute.value.length === length
      ? attribute.value
      : Array.from({ length }, () => fallback);
  };
  const group = attributes.get('group');
  return {
    strides: ints('strides', 1, rank),
    dilations: ints('dilations', 1, rank),
    groups: group?.kind === 'int' && group.value > 0 ? group.value : 1,
    autoPad: autoPad(attributes.get('auto_pad')),
    pads: ints('pads', 0, 2 * rank),
  };
}

function autoPad(attribute: Attribute | undefined): ConvAttributes['autoPad'] {
  const value = attribute?.kind === 'string' ? attribute.value : 'NOTSET';
  return value === 'SAME_UPPER' || value === 'SAME_LOWER' || value === 'VALID' ? value : 'NOTSET';
}

/**
 * Padding in front of each spatial axis for an input of this size. SAME pads so that the output has ⌈input / stride⌉ positions,
 * the odd element at the end (UPPER) or at the beginning (LOWER).
 */
export function padsBefore(
  conv: ConvAttributes,
  kernel: readonly number[],
  input: readonly number[],
): readonly number[] {
  if (conv.autoPad === 'VALID') return kernel.map(() => 0);
  if (conv.autoPad === 'NOTSET') return conv.pads.slice(0, kernel.length);
  return kernel.map((size, axis) => {
    const stride = conv.strides[axis] ?? 1;
    const extent = (size - 1) * (conv.dilations[axis] ?? 1) + 1;
    const length = input[axis] ?? 1;
    const total = Math.max(0, (Math.ceil(length / stride) - 1) * stride + extent - length);
    return conv.autoPad === 'SAME_UPPER' ? Math.floor(total / 2) : Math.ceil(total / 2);
  });
}

/** An activation or weight with a way to read it. */
export interface ReadableTensor {
  readonly shape: readonly number[];
  readonly read: ReadElement;
}

/** What one output element of a convolution is the sum of. */
export interface ConvWindow {
  /** [in/groups, …kernel] of the input that the position sees, 0 where it sees padding. */
  readonly window: Float32Array;
  /** [in/groups, …kernel] of the output channel's filter. */
  readonly kernel: Float32Array;
  readonly shape: readonly number[];
  /** Σ window · kernel in float64, without bias. */
  readonly sum: number;
}

/**
 * The window and kernel of output element (batch 0, `channel`, `position`) of ONNX Conv:
 * y[o, p] = Σ_c Σ_k x[g·C/G + c, p·stride + k·dilation − pad] · w[o, c, k].
 * `input` is [B, C, …spatial], `weight` [out, in/groups, …kernel]; `position` has one index per spatial axis.
 */
export function convWindow(
  input: ReadableTensor,
  weight: ReadableTensor,
  conv: ConvAttributes,
  channel: number,
  position: readonly number[],
): ConvWindow {
  const [filters = 1, perGroup = 1, ...kernelShape] = weight.shape;
  const spatial = input.shape.slice(2);
  const pads = padsBefore(conv, kernelShape, spatial);
  const firstChannel = Math.floor(channel / (filters / conv.groups)) * perGroup;
  const area = kernelShape.reduce((product, size) => product * size, 1);
  const plane = spatial.reduce((product, size) => product * size, 1);
  const offsets = Array.from({ length: area }, (_, tap) =>
    tapOffset(tap, kernelShape, spatial, position, conv, pads),
  );
  const window = new Float32Array(perGroup * area);
  const kernel = new Float32Array(perGroup * area);
  let sum = 0;
  for (let c = 0; c < perGroup; c++)
    for (let tap = 0; tap < area; tap++) {
      const offset = offsets[tap] ?? null;
      const x = offset === null ? 0 : input.read((firstChannel + c) * plane + offset);
      const w = weight.read((channel * perGroup + c) * area + tap);
      window[c * area + tap] = x;
      kernel[c * area + tap] = w;
      if (offset !== null) sum += x * w;
    }
  return { window, kernel, shape: [perGroup, ...kernelShape], sum };
}

/** Offset in an input plane that a kernel tap falls on, null for padding. */
function tapOffset(
  tap: number,
  kernel: readonly number[],
  spatial: readonly number[],
  position: readonly number[],
  conv: ConvAttributes,
  pads: readonly number[],
): number | null {
  let rest = tap;
  let offset = 0;
  let stride = 1;
  for (let axis = kernel.length - 1; axis >= 0; axis--) {
    const size = kernel[axis] ?? 1;
    const index =
      (position[axis] ?? 0) * (conv.strides[axis] ?? 1) +
      (rest % size) * (conv.dilations[axis] ?? 1) -
      (pads[axis] ?? 0);
    const length = spatial[axis] ?? 1;
    if (index < 0 || index >= length) return null;
    offset += index * stride;
    stride *= length;
    rest = Math.floor(rest / size);
  }
  return offset;
}
