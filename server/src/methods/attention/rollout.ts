import type { FusedMatrices } from './fuse';

/** What rollout does to the fused matrix of a layer. */
export interface RolloutOptions {
  /** Share of its smallest weights that is set to zero; weights of the first token stay. */
  readonly discard: number;
  /** Adds the identity for the residual connection. */
  readonly residual: boolean;
}

/**
 * The matrix that rollout multiplies with: small weights discarded, the identity added, rows scaled to the sum 1 (Abnar and Zuidema 2020, arXiv
 * 2005.00928, section 3; discarding as in Gildenblat's vit-explain). In place.
 */
export function rolloutMatrix(
  matrices: FusedMatrices,
  { discard, residual }: RolloutOptions,
): FusedMatrices {
  const { batch, queries, keys, values } = matrices;
  const size = queries * keys;
  for (let image = 0; image < batch; image++) {
    const matrix = values.subarray(image * size, (image + 1) * size);
    if (discard > 0) discardSmallest(matrix, Math.floor(size * discard));
    for (let query = 0; query < queries; query++) {
      const row = matrix.subarray(query * keys, (query + 1) * keys);
      if (residual) row[query] = (row[query] ?? 0) + 1;
      const sum = row.reduce((total, value) => total + value, 0);
      if (sum > 0) for (let key = 0; key < keys; key++) row[key] = (row[key] ?? 0) / sum;
    }
  }
  return matrices;
}

function discardSmallest(matrix: Float64Array, count: number): void {
  const order = Array.from(matrix.keys()).sort((a, b) => (matrix[a] ?? 0) - (matrix[b] ?? 0));
  for (const at of order.slice(0, count)) if (at !== 0) matrix[at] = 0;
}

/**
 * Relevance that is carried through layers from first to last: R = I, then R = A · R (rollout), or R = R + A · R (`adds`). All [tokens, tokens]
 * for each image.
 */
export class Carried {
  private values: Float64Array;

  constructor(
    readonly batch: number,
    readonly tokens: number,
    private readonly adds: boolean,
  ) {
    this.values = new Float64Array(batch * tokens * tokens);
    for (let image = 0; image < batch; image++)
      for (let token = 0; token < tokens; token++)
        this.values[(image * tokens + token) * tokens + token] = 1;
  }

  through({ values }: FusedMatrices): void {
    const { batch, tokens } = this;
    const size = tokens * tokens;
    const next = new Float64Array(this.values.length);
    for (let image = 0; image < batch; image++)
      multiply(
        values.subarray(image * size, (image + 1) * size),
        this.values.subarray(image * size, (image + 1) * size),
        next.subarray(image * size, (image + 1) * size),
        tokens,
      );
    if (this.adds)
      for (let at = 0; at < next.length; at++) next[at] = (next[at] ?? 0) + (this.values[at] ?? 0);
    this.values = next;
  }

  get matrix(): Float64Array {
    return this.values;
  }
}

/** out += a · b, square and row by row. */
function multiply(a: Float64Array, b: Float64Array, out: Float64Array, size: number): void {
  for (let row = 0; row < size; row++)
    for (let inner = 0; inner < size; inner++) {
      const factor = a[row * size + inner] ?? 0;
      if (factor === 0) continue;
      const from = inner * size;
      const to = row * size;
      for (let column = 0; column < size; column++)
        out[to + column] = (out[to + column] ?? 0) + factor * (b[from + column] ?? 0);
    }
}
