import type { Attributor } from './attributor';
import type { LayerGrid } from './layerGrid';

/** Rounds of the power iteration at most; it ends when the direction moves by less than rounding. */
const MOST_ROUNDS = 2000;
const STILL = 1e-22;

/**
 * Eigen-CAM (Muhammad and Yeasin 2020, arXiv 2008.00299): with M the [positions, channels] matrix of activations, columns centred as
 * pytorch-grad-cam does, the map is M·v, v the first right singular vector. The sign is free: where |min| > |max| the map is negated. Needs no
 * target and no gradient.
 */
export const eigenCam: Attributor = {
  name: 'eigen-cam',
  async attribute({ derivatives, grids, context }) {
    const activations = await derivatives.values(grids.map(grid => grid.tensor));
    const maps = grids.map(grid => {
      context.signal.throwIfAborted();
      const tensor = activations.get(grid.tensor);
      if (!tensor) throw new Error(`the run gave no ${grid.tensor}`);
      return { grid, values: mapsOf(grid, grid.planes(tensor)) };
    });
    return { kind: 'layer', maps, value: null, options: {} };
  },
};

function mapsOf(grid: LayerGrid, planes: Float32Array): Float32Array {
  const { images, channels, positions } = grid;
  const size = channels * positions;
  const out = new Float32Array(images * positions);
  for (let image = 0; image < images; image++)
    out.set(
      projection(planes.subarray(image * size, (image + 1) * size), channels, positions),
      image * positions,
    );
  return out;
}

/** M·v for one image, [positions]. `planes` is Mᵀ before centring, [channels, positions]. */
function projection(planes: Float32Array, channels: number, positions: number): Float64Array {
  const rows = centred(planes, channels, positions);
  // M·v = σ·u, and v comes from the Gram matrix of whichever side is shorter.
  const map =
    positions <= channels
      ? scaledByNorm(gram(rows, positions, channels, 1, positions), positions)
      : combined(
          rows,
          direction(gram(rows, channels, positions, positions, 1), channels).vector,
          positions,
        );
  let low = 0;
  let high = 0;
  for (const value of map) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return -low > high ? map.map(value => -value) : map;
}

function centred(planes: Float32Array, channels: number, positions: number): Float64Array {
  const rows = Float64Array.from(planes);
  for (let channel = 0; channel < channels; channel++) {
    const row = rows.subarray(channel * positions, (channel + 1) * positions);
    const mean = row.reduce((sum, value) => sum + value, 0) / positions;
    for (let i = 0; i < positions; i++) row[i] = (row[i] ?? 0) - mean;
  }
  return rows;
}

/** [n, n] of inner products over `length` terms: element (i, k) lies at i · step + k · stride. */
function gram(
  rows: Float64Array,
  n: number,
  length: number,
  step: number,
  stride: number,
): Float64Array {
  const matrix = new Float64Array(n * n);
  for (let a = 0; a < n; a++)
    for (let b = a; b < n; b++) {
      let dot = 0;
      for (let k = 0; k < length; k++)
        dot += (rows[a * step + k * stride] ?? 0) * (rows[b * step + k * stride] ?? 0);
      matrix[a * n + b] = dot;
      matrix[b * n + a] = dot;
    }
  return matrix;
}

/** First eigenvector and eigenvalue of a symmetric positive matrix (Golub and Van Loan, Matrix Computations, 8.2). */
function direction(matrix: Float64Array, n: number): { vector: Float64Array; value: number } {
  let vector = unit(Float64Array.from({ length: n }, (_, i) => matrix[i * n + i] ?? 0)).vector;
  let value = 0;
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const product = new Float64Array(n);
    for (let a = 0; a < n; a++) {
      let sum = 0;
      for (let b = 0; b < n; b++) sum += (matrix[a * n + b] ?? 0) * (vector[b] ?? 0);
      product[a] = sum;
    }
    const next = unit(product);
    if (next.norm === 0) break;
    const moved = next.vector.reduce((sum, each, i) => sum + (each - (vector[i] ?? 0)) ** 2, 0);
    vector = next.vector;
    value = next.norm;
    if (moved < STILL) break;
  }
  return { vector, value };
}

function unit(vector: Float64Array): { vector: Float64Array; norm: number } {
  const norm = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  return { vector: norm > 0 ? vector.map(value => value / norm) : vector, norm };
}

function scaledByNorm(matrix: Float64Array, n: number): Float64Array {
  const { vector, value } = direction(matrix, n);
  return vector.map(each => each * Math.sqrt(value));
}

/** Σ_c v_c · row_c, [positions]. */
function combined(rows: Float64Array, weights: Float64Array, positions: number): Float64Array {
  const map = new Float64Array(positions);
  weights.forEach((weight, channel) => {
    for (let i = 0; i < positions; i++)
      map[i] = (map[i] ?? 0) + weight * (rows[channel * positions + i] ?? 0);
  });
  return map;
}
