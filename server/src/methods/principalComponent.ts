/** Rounds of the power iteration; it stops earlier when the direction no longer moves. */
const MOST_ROUNDS = 100;
const STILL = 1e-12;

/**
 * First principal component of `samples` rows, [samples, length] in C order, as a vector of length 1 written to `component`.
 * Rows are centred (the mean row is subtracted) and the power iteration runs on the covariance without forming it when the rows
 * are long (Golub & Van Loan, Matrix Computations, 7.3). The sign makes the entry of largest magnitude positive, the first of
 * equals; a matrix of equal rows gives zeros. `rows` is changed.
 */
export function firstComponent(rows: Float64Array, samples: number, component: Float32Array): void {
  const length = rows.length / samples;
  const energy = centre(rows, samples, length);
  if (energy === 0) {
    component.fill(0);
    return;
  }
  let vector = largestRow(rows, samples, length);
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const next = normalized(covarianceTimes(rows, samples, length, vector));
    if (!next) break;
    const change = next.reduce((sum, value, i) => sum + (value - (vector[i] ?? 0)) ** 2, 0);
    vector = next;
    if (change < STILL) break;
  }
  const sign = signOf(vector);
  for (let i = 0; i < length; i++) component[i] = sign * (vector[i] ?? 0);
}

/** Subtracts the mean row; returns what is left, Σ x². */
function centre(rows: Float64Array, samples: number, length: number): number {
  let energy = 0;
  let scale = 0;
  for (let i = 0; i < length; i++) {
    let mean = 0;
    for (let s = 0; s < samples; s++) mean += rows[s * length + i] ?? 0;
    mean /= samples;
    for (let s = 0; s < samples; s++) {
      const value = rows[s * length + i] ?? 0;
      rows[s * length + i] = value - mean;
      scale += value * value;
      energy += (value - mean) ** 2;
    }
  }
  // What centring leaves of equal rows is rounding, not direction.
  return energy <= scale * 1e-24 ? 0 : energy;
}

/** The longest row, as the direction to start from: deterministic and never at a right angle to all rows. */
function largestRow(rows: Float64Array, samples: number, length: number): Float64Array {
  let best = rows.subarray(0, length);
  let most = -1;
  for (let s = 0; s < samples; s++) {
    const row = rows.subarray(s * length, (s + 1) * length);
    const size = row.reduce((sum, value) => sum + value * value, 0);
    if (size > most) [best, most] = [row, size];
  }
  return normalized(Float64Array.from(best)) ?? new Float64Array(length);
}

/** Xᵀ(X v). */
function covarianceTimes(
  rows: Float64Array,
  samples: number,
  length: number,
  vector: Float64Array,
): Float64Array {
  const result = new Float64Array(length);
  for (let s = 0; s < samples; s++) {
    let dot = 0;
    for (let i = 0; i < length; i++) dot += (rows[s * length + i] ?? 0) * (vector[i] ?? 0);
    for (let i = 0; i < length; i++)
      result[i] = (result[i] ?? 0) + dot * (rows[s * length + i] ?? 0);
  }
  return result;
}

function normalized(vector: Float64Array): Float64Array | null {
  const norm = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  return norm > 0 && Number.isFinite(norm) ? vector.map(value => value / norm) : null;
}

function signOf(vector: Float64Array): number {
  let largest = 0;
  for (const value of vector) if (Math.abs(value) > Math.abs(largest) * (1 + 1e-9)) largest = value;
  return largest < 0 ? -1 : 1;
}
