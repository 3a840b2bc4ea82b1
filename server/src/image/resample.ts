/** Interleaved 8-bit samples, row by row: index = (y · width + x) · planes + plane. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  readonly planes: number;
  readonly data: Uint8Array;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A part of the resized picture, in its pixels; it lies inside it. */
export interface Window extends Size {
  readonly left: number;
  readonly top: number;
}

export type PixelFilter = 'bilinear' | 'bicubic' | 'nearest';

interface Kernel {
  readonly support: number;
  weight(x: number): number;
}

/** Triangle: linear interpolation when enlarging, area-weighted when reducing. */
const TRIANGLE: Kernel = { support: 1, weight: x => Math.max(0, 1 - Math.abs(x)) };

/** Keys' cubic with a = −0.5, Pillow's BICUBIC. */
const CUBIC: Kernel = {
  support: 2,
  weight: x => {
    const a = -0.5;
    const t = Math.abs(x);
    if (t < 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
    return t < 2 ? (((t - 5) * t + 8) * t - 4) * a : 0;
  },
};

/** Weights of one axis: output i is the weighted sum of `counts[i]` inputs from `starts[i]` on. */
interface AxisWeights {
  readonly starts: Int32Array;
  readonly counts: Int32Array;
  /** [outputs, taps], fixed point with 22 fraction bits. */
  readonly weights: Int32Array;
  readonly taps: number;
}

const FRACTION_BITS = 22;

/** The weights of Pillow's resample (Resample.c): the kernel is widened by the ratio when reducing, which is what avoids aliasing. */
function axisWeights(
  kernel: Kernel,
  input: number,
  output: number,
  first: number,
  count: number,
): AxisWeights {
  const ratio = input / output;
  const widening = Math.max(ratio, 1);
  const support = kernel.support * widening;
  const taps = Math.min(Math.ceil(support) * 2 + 1, input);
  const starts = new Int32Array(count);
  const counts = new Int32Array(count);
  const weights = new Int32Array(count * taps);
  const exact = new Float64Array(taps);
  for (let i = 0; i < count; i++) {
    const centre = (first + i + 0.5) * ratio;
    const start = Math.max(0, Math.trunc(centre - support + 0.5));
    const length = Math.min(input, Math.trunc(centre + support + 0.5)) - start;
    let total = 0;
    for (let t = 0; t < length; t++) {
      exact[t] = kernel.weight((t + start - centre + 0.5) * (1 / widening));
      total += exact[t] ?? 0;
    }
    for (let t = 0; t < length; t++) {
      const weight = (exact[t] ?? 0) / (total === 0 ? 1 : total);
      weights[i * taps + t] = Math.trunc(weight * (1 << FRACTION_BITS) + (weight < 0 ? -0.5 : 0.5));
    }
    starts[i] = start;
    counts[i] = length;
  }
  return { starts, counts, weights, taps };
}

const toByte = (sum: number): number => Math.min(255, Math.max(0, sum >> FRACTION_BITS));

/** One pass along an axis. `step` is the distance of neighbours on that axis, in samples; `lines` and `lineStep` run over the other axis. */
function filterAxis(
  axis: AxisWeights,
  source: Uint8Array,
  target: Uint8Array,
  geometry: {
    readonly planes: number;
    readonly lines: number;
    readonly sourceStep: number;
    readonly sourceLine: number;
    readonly targetStep: number;
    readonly targetLine: number;
  },
): void {
  const { planes, lines, sourceStep, sourceLine, targetStep, targetLine } = geometry;
  const { starts, counts, weights, taps } = axis;
  for (let line = 0; line < lines; line++)
    for (let i = 0; i < starts.length; i++) {
      const from = line * sourceLine + (starts[i] ?? 0) * sourceStep;
      const count = counts[i] ?? 0;
      for (let plane = 0; plane < planes; plane++) {
        let sum = 1 << (FRACTION_BITS - 1);
        for (let t = 0, at = from + plane; t < count; t++, at += sourceStep)
          sum += (source[at] ?? 0) * (weights[i * taps + t] ?? 0);
        target[line * targetLine + i * targetStep + plane] = toByte(sum);
      }
    }
}

function nearestIndices(input: number, output: number, first: number, count: number): Int32Array {
  const indices = new Int32Array(count);
  const ratio = input / output;
  // Pillow adds up the position step by step; a product would round differently at some pixels.
  let position = ratio * 0.5;
  for (let i = 0; i < first + count; i++, position += ratio)
    if (i >= first) indices[i - first] = Math.min(input - 1, Math.trunc(position));
  return indices;
}

function resizeNearest(source: Pixels, size: Size, window: Window): Pixels {
  const { planes } = source;
  const columns = nearestIndices(source.width, size.width, window.left, window.width);
  const rows = nearestIndices(source.height, size.height, window.top, window.height);
  const data = new Uint8Array(window.width * window.height * planes);
  let at = 0;
  for (const row of rows)
    for (const column of columns) {
      const from = (row * source.width + column) * planes;
      for (let plane = 0; plane < planes; plane++) data[at++] = source.data[from + plane] ?? 0;
    }
  return { width: window.width, height: window.height, planes, data };
}

/** Filters the columns of some rows, so that `axis.starts.length` columns remain. */
function filterColumns(source: Pixels, axis: AxisWeights): Pixels {
  const { height, planes } = source;
  const width = axis.starts.length;
  const data = new Uint8Array(width * height * planes);
  filterAxis(axis, source.data, data, {
    planes,
    lines: height,
    sourceStep: planes,
    sourceLine: source.width * planes,
    targetStep: planes,
    targetLine: width * planes,
  });
  return { width, height, planes, data };
}

function filterRows(source: Pixels, axis: AxisWeights): Pixels {
  const { width, planes } = source;
  const height = axis.starts.length;
  const data = new Uint8Array(width * height * planes);
  filterAxis(axis, source.data, data, {
    planes,
    lines: width,
    sourceStep: width * planes,
    sourceLine: planes,
    targetStep: width * planes,
    targetLine: planes,
  });
  return { width, height, planes, data };
}

/** The inputs that an axis uses at all, as first and count, and the axis on these alone. */
function usedPart(axis: AxisWeights): { first: number; count: number; axis: AxisWeights } {
  const last = axis.starts.length - 1;
  const first = axis.starts[0] ?? 0;
  const count = (axis.starts[last] ?? 0) + (axis.counts[last] ?? 0) - first;
  return { first, count, axis: { ...axis, starts: axis.starts.map(start => start - first) } };
}

/** The columns [first, first + count) of some pixels. */
function takeColumns(source: Pixels, first: number, count: number): Pixels {
  const { width, height, planes } = source;
  if (count === width) return source;
  const data = new Uint8Array(count * height * planes);
  for (let row = 0; row < height; row++) {
    const start = (row * width + first) * planes;
    data.set(source.data.subarray(start, start + count * planes), row * count * planes);
  }
  return { width: count, height, planes, data };
}

/** Pillow 13 begins with the pass that leaves less to do; before, it always began with the columns. The rounding between the passes shows it. */
const rowsFirst = (source: Size, size: Size): boolean =>
  size.height < source.height && source.height - size.height > 2 * (source.width - size.width);

/**
 * Resizes 8-bit pixels to `size` and gives the part `window` of the result (all of it by default), equal in every bit to
 * Pillow 13's `Image.resize(size, filter)` followed by `crop`, hence to torchvision's antialiased resize of PIL images: a pass along
 * each axis with 22-bit fixed-point weights, rounded to 8 bits after each. Earlier Pillow differs by a rounding step where the height
 * is reduced far more than the width. Only what the window needs is computed, so a very long picture costs no more than its window.
 * Filters: triangle, Keys' cubic with a = −0.5, nearest.
 */
export function resizePixels(
  source: Pixels,
  size: Size,
  filter: PixelFilter,
  window: Window = { left: 0, top: 0, ...size },
): Pixels {
  if (filter === 'nearest') return resizeNearest(source, size, window);
  const kernel = filter === 'bicubic' ? CUBIC : TRIANGLE;
  const columns = usedPart(
    axisWeights(kernel, source.width, size.width, window.left, window.width),
  );
  const rows = usedPart(axisWeights(kernel, source.height, size.height, window.top, window.height));
  const rowSamples = source.width * source.planes;
  const neededRows: Pixels = {
    ...source,
    height: rows.count,
    data: source.data.subarray(rows.first * rowSamples, (rows.first + rows.count) * rowSamples),
  };
  const needed = takeColumns(neededRows, columns.first, columns.count);
  return rowsFirst(source, size)
    ? filterColumns(filterRows(needed, rows.axis), columns.axis)
    : filterRows(filterColumns(needed, columns.axis), rows.axis);
}
