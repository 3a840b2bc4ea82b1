import { type AxisMatrix, axisMatrix } from './axisMatrix';

/** How Resize interpolates, by the attributes of its newest version; `simple` is the nearest mode of versions before 11. */
export interface Interpolation {
  readonly mode: string;
  readonly coordinates: string;
  readonly nearest: string;
  readonly cubicA: number;
  readonly excludeOutside: boolean;
  readonly antialias: boolean;
}

/** One resized axis: lengths, the scale as float32, and the region of `tf_crop_and_resize` in parts of the length. */
export interface ResizedAxis {
  readonly input: number;
  readonly output: number;
  readonly scale: number;
  readonly roiStart: number;
  readonly roiEnd: number;
}

type Terms = readonly (readonly [input: number, weight: number])[];

/**
 * Resize along one axis as a matrix [output, input]. Rows whose position lies outside the input are zero where that is extrapolated
 * (`tf_crop_and_resize`). Follows the ONNX specification of Resize, and ONNX Runtime where it computes positions in float32, which decides about
 * the nearest neighbour.
 */
export function interpolationMatrix(axis: ResizedAxis, how: Interpolation): AxisMatrix {
  const { input, output } = axis;
  const rows = Array.from({ length: output }, (_, i): Terms => {
    const at = originalPosition(i, axis, how.coordinates);
    if (how.coordinates === 'tf_crop_and_resize' && (at < 0 || at > input - 1)) return [];
    if (how.antialias) return filtered(at, axis, how);
    if (how.mode === 'nearest')
      return [[clamped(nearest(at, how.nearest, axis.scale < 1), input), 1]];
    return how.mode === 'linear' ? linear(at, input) : cubic(at, input, how);
  });
  return axisMatrix(input, rows);
}

const clamped = (index: number, length: number): number =>
  Math.min(Math.max(index, 0), Math.max(0, length - 1));

/** The position in the input of output `i`. */
function originalPosition(
  i: number,
  { input, output, scale, roiStart, roiEnd }: ResizedAxis,
  coordinates: string,
): number {
  const f = Math.fround;
  switch (coordinates) {
    case 'asymmetric':
      return f(i / scale);
    case 'align_corners':
      return output === 1 ? 0 : f(f(i * (input - 1)) / (output - 1));
    case 'pytorch_half_pixel':
      return output > 1 ? f(f((i + 0.5) / scale) - 0.5) : 0;
    case 'tf_half_pixel_for_nn':
      return f((i + 0.5) / scale);
    case 'half_pixel_symmetric': {
      const adjustment = f(output / f(scale * input));
      const offset = f((input / 2) * f(1 - adjustment));
      return f(offset + (i + 0.5) / scale - 0.5);
    }
    case 'tf_crop_and_resize': {
      const last = input - 1;
      if (output === 1) return f(0.5 * f(roiStart + roiEnd) * last);
      const part = f(f(f(i * f(roiEnd - roiStart)) * last) / (output - 1));
      return f(f(roiStart * last) + part);
    }
    default:
      return f(f((i + 0.5) / scale) - 0.5);
  }
}

/** What ONNX Runtime takes for half way between two neighbours. */
const TIE = 1e-6;

function nearest(at: number, mode: string, shrinks: boolean): number {
  const low = Math.floor(at);
  const tie = Math.abs(at - low - 0.5) <= TIE;
  switch (mode) {
    case 'floor':
      return low;
    case 'ceil':
      return Math.ceil(at);
    case 'round_prefer_ceil':
      return tie ? low + 1 : Math.round(at);
    case 'simple':
      return shrinks ? Math.ceil(at) : Math.trunc(at);
    default:
      return tie ? low : Math.round(at);
  }
}

function linear(at: number, input: number): Terms {
  const inside = clamped(at, input);
  const low = Math.floor(inside);
  const high = clamped(low + 1, input);
  return [
    [low, 1 - (inside - low)],
    [high, inside - low],
  ];
}

/** Keys 1981, "Cubic convolution interpolation", with coefficient a. */
function cubicWeight(distance: number, a: number): number {
  const d = Math.abs(distance);
  if (d < 1) return ((a + 2) * d - (a + 3)) * d * d + 1;
  return d < 2 ? ((d - 5) * d + 8) * d * a - 4 * a : 0;
}

function cubic(at: number, input: number, { cubicA, excludeOutside }: Interpolation): Terms {
  const first = Math.floor(at) - 1;
  const terms = [0, 1, 2, 3].map(k => [first + k, cubicWeight(at - (first + k), cubicA)] as const);
  return settled(terms, input, excludeOutside);
}

/** The filter grows with the input where that shrinks, as in Pillow. */
function filtered(at: number, { input, scale }: ResizedAxis, how: Interpolation): Terms {
  const growth = Math.max(1, 1 / scale);
  const support = (how.mode === 'cubic' ? 2 : 1) * growth;
  const first = Math.floor(at + 1 - support);
  const end = Math.floor(at + 1 + support);
  const terms = Array.from({ length: end - first }, (_, k) => {
    const distance = (first + k - at) / growth;
    const weight =
      how.mode === 'cubic'
        ? cubicWeight(distance, how.cubicA)
        : Math.max(0, 1 - Math.abs(distance));
    return [first + k, weight] as const;
  });
  return settled(terms, input, how.excludeOutside, true);
}

/** Positions outside the input are left out, or moved to its ends; weights add up to one where positions were left out, or always. */
function settled(
  terms: Terms,
  input: number,
  excludeOutside: boolean,
  normalise = excludeOutside,
): Terms {
  const kept = excludeOutside ? terms.filter(([i]) => i >= 0 && i < input) : terms;
  const sum = normalise ? kept.reduce((total, [, weight]) => total + weight, 0) : 1;
  return kept.map(([i, weight]) => [clamped(i, input), sum === 0 ? 0 : weight / sum] as const);
}
