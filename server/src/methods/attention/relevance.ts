import type { FusedMatrices } from './fuse';
import type { HeadMatrices } from './canonical';
import { fuseHeads } from './fuse';
import { Carried } from './rollout';

/** Ā: mean over heads of the positive part of gradient times weight (Chefer et al. 2021, arXiv 2103.15679, equation 5). */
export const gradientWeighted = (weights: HeadMatrices, gradient: HeadMatrices): FusedMatrices =>
  fuseHeads(weights, 'mean', (weight, at) => Math.max(0, weight * (gradient.values[at] ?? 0)));

/**
 * Relevance of encoder tokens for decoder tokens through self-attention of both and attention across (the same paper, equations 6 to 9: self R = R + Ā · R
 * on both, and for what was seen before across; across R = R + N(Rdd)ᵀ · Ā · N(Ree), N scaling what self-attention added to rows of the sum 1).
 */
export class CrossRelevance {
  private readonly encoder: Carried;
  private readonly decoder: Carried;
  private across: Float64Array;

  constructor(
    readonly batch: number,
    readonly queries: number,
    readonly keys: number,
  ) {
    this.encoder = new Carried(batch, keys, true);
    this.decoder = new Carried(batch, queries, true);
    this.across = new Float64Array(batch * queries * keys);
  }

  through(role: 'encoder' | 'decoder' | 'cross', matrices: FusedMatrices): void {
    if (role === 'encoder') this.encoder.through(matrices);
    else if (role === 'decoder') {
      this.add(matrices.values, this.across);
      this.decoder.through(matrices);
    } else this.cross(matrices);
  }

  get matrix(): Float64Array {
    return this.across;
  }

  /** R = R + left · right, [queries, queries] · [queries, keys] for each image. */
  private add(left: Float64Array, right: Float64Array): void {
    const { batch, queries, keys } = this;
    const next = Float64Array.from(this.across);
    for (let image = 0; image < batch; image++)
      addProduct(
        left.subarray(image * queries * queries, (image + 1) * queries * queries),
        right.subarray(image * queries * keys, (image + 1) * queries * keys),
        next.subarray(image * queries * keys, (image + 1) * queries * keys),
        [queries, queries, keys],
      );
    this.across = next;
  }

  private cross({ values }: FusedMatrices): void {
    const { batch, queries, keys } = this;
    const seen = new Float64Array(values.length);
    const memory = scaledRows(this.encoder.matrix, keys);
    for (let image = 0; image < batch; image++)
      addProduct(
        values.subarray(image * queries * keys, (image + 1) * queries * keys),
        memory.subarray(image * keys * keys, (image + 1) * keys * keys),
        seen.subarray(image * queries * keys, (image + 1) * queries * keys),
        [queries, keys, keys],
      );
    this.add(transposed(scaledRows(this.decoder.matrix, queries), queries), seen);
  }
}

/** out += a · b of sizes [rows, inner] and [inner, columns]. */
function addProduct(
  a: Float64Array,
  b: Float64Array,
  out: Float64Array,
  [rows, inner, columns]: readonly [number, number, number],
): void {
  for (let row = 0; row < rows; row++)
    for (let at = 0; at < inner; at++) {
      const factor = a[row * inner + at] ?? 0;
      if (factor === 0) continue;
      for (let column = 0; column < columns; column++)
        out[row * columns + column] =
          (out[row * columns + column] ?? 0) + factor * (b[at * columns + column] ?? 0);
    }
}

/** N(R): what was added to the identity with rows of the sum 1, and the identity (equation 8 and 9). */
function scaledRows(relevance: Float64Array, tokens: number): Float64Array {
  const out = Float64Array.from(relevance);
  for (let row = 0; row < out.length / tokens; row++) {
    const diagonal = row * tokens + (row % tokens);
    out[diagonal] = (out[diagonal] ?? 0) - 1;
    const values = out.subarray(row * tokens, (row + 1) * tokens);
    const sum = values.reduce((total, value) => total + value, 0);
    if (sum > 0) for (let at = 0; at < tokens; at++) values[at] = (values[at] ?? 0) / sum;
    out[diagonal] = (out[diagonal] ?? 0) + 1;
  }
  return out;
}

function transposed(matrices: Float64Array, size: number): Float64Array {
  const out = new Float64Array(matrices.length);
  for (let from = 0; from < matrices.length; from++) {
    const image = Math.floor(from / (size * size));
    const place = from % (size * size);
    const [row, column] = [Math.floor(place / size), place % size];
    out[image * size * size + column * size + row] = matrices[from] ?? 0;
  }
  return out;
}
