/** Position and weight of the two neighbours for half-pixel linear interpolation, clamped at the edges. */
function linearTaps(input: number, output: number): { low: Int32Array; weight: Float64Array } {
  const low = new Int32Array(output);
  const weight = new Float64Array(output);
  for (let i = 0; i < output; i++) {
    const position = Math.max(0, ((i + 0.5) * input) / output - 0.5);
    low[i] = Math.min(input - 1, Math.floor(position));
    weight[i] = Math.min(1, position - (low[i] ?? 0));
  }
  return { low, weight };
}

/**
 * Enlarges (or reduces, without antialiasing) one map [rows, columns] to [outRows, outColumns]. `bilinear` is the half-pixel
 * convention of `torch.nn.functional.interpolate(align_corners=False)` and ONNX Resize `half_pixel`; `nearest` takes floor(i · in / out).
 */
export function resizeMap(
  values: Float32Array,
  rows: number,
  columns: number,
  outRows: number,
  outColumns: number,
  method: 'bilinear' | 'nearest',
): Float32Array {
  const out = new Float32Array(outRows * outColumns);
  if (method === 'nearest') {
    for (let y = 0, at = 0; y < outRows; y++) {
      const row = Math.floor((y * rows) / outRows) * columns;
      for (let x = 0; x < outColumns; x++)
        out[at++] = values[row + Math.floor((x * columns) / outColumns)] ?? 0;
    }
    return out;
  }
  const horizontal = linearTaps(columns, outColumns);
  const vertical = linearTaps(rows, outRows);
  for (let y = 0, at = 0; y < outRows; y++) {
    const top = (vertical.low[y] ?? 0) * columns;
    const bottom = Math.min(rows - 1, (vertical.low[y] ?? 0) + 1) * columns;
    const wy = vertical.weight[y] ?? 0;
    for (let x = 0; x < outColumns; x++) {
      const left = horizontal.low[x] ?? 0;
      const right = Math.min(columns - 1, left + 1);
      const wx = horizontal.weight[x] ?? 0;
      const upper = mix(values[top + left] ?? 0, values[top + right] ?? 0, wx);
      const lower = mix(values[bottom + left] ?? 0, values[bottom + right] ?? 0, wx);
      out[at++] = mix(upper, lower, wy);
    }
  }
  return out;
}

/** Linear mix that never multiplies an infinite or missing neighbour by a weight of zero. */
const mix = (a: number, b: number, weight: number): number =>
  weight === 0 ? a : a * (1 - weight) + b * weight;

/**
 * Reduces one map [rows, columns] to [outRows, outColumns] (neither larger than the source) by area: each output is the mean of the
 * input under it, inputs on an edge counted by their share. For a tile that shows a larger map.
 */
export function averageMap(
  values: Float32Array,
  rows: number,
  columns: number,
  outRows: number,
  outColumns: number,
): Float32Array {
  if (outRows === rows && outColumns === columns) return values.slice();
  const narrow = new Float64Array(rows * outColumns);
  averageAxis(values, narrow, rows, columns, outColumns, 1, columns, 1, outColumns);
  const out = new Float32Array(outRows * outColumns);
  averageAxis(narrow, out, outColumns, rows, outRows, outColumns, 1, outColumns, 1);
  return out;
}

function averageAxis(
  source: Float32Array | Float64Array,
  target: Float32Array | Float64Array,
  lines: number,
  input: number,
  output: number,
  sourceStep: number,
  sourceLine: number,
  targetStep: number,
  targetLine: number,
): void {
  const ratio = input / output;
  for (let line = 0; line < lines; line++)
    for (let i = 0; i < output; i++) {
      const from = i * ratio;
      const to = Math.min(input, from + ratio);
      let sum = 0;
      for (let k = Math.floor(from); k < to; k++)
        sum +=
          (source[line * sourceLine + k * sourceStep] ?? 0) *
          (Math.min(k + 1, to) - Math.max(k, from));
      target[line * targetLine + i * targetStep] = sum / (to - from);
    }
}
