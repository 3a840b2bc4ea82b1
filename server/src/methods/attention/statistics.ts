import { HEAD_STATISTICS, type TokenLayout } from '../../../../protocol/attention';
import type { HeadMatrices } from './canonical';

/** Where queries and keys of a block lie. */
export interface HeadLayouts {
  readonly queries: TokenLayout | null;
  readonly keys: TokenLayout | null;
  /** Queries and keys are the same tokens. */
  readonly same: boolean;
}

/**
 * [heads, 5] in the order of `HEAD_STATISTICS`: means over images (or windows) and queries. The distance is that of the weight on the grid from the query's
 * place, in cells of the queries' grid (Dosovitskiy et al. 2021, arXiv 2010.11929, figure 7).
 */
export function headStatistics(matrices: HeadMatrices, layouts: HeadLayouts): Float32Array {
  const { batch, heads, queries, keys } = matrices;
  const out = new Float32Array(heads * HEAD_STATISTICS.length);
  const distances = distancesOf(layouts, queries, keys);
  const prefix = layouts.keys?.prefixTokens ?? 0;
  const placed = queries - (layouts.queries?.prefixTokens ?? 0);
  const rows = batch * queries;
  for (let head = 0; head < heads; head++) {
    const sums = headSums(matrices, head, prefix, distances);
    out.set(
      [
        keys > 1 ? sums.entropy / rows / Math.log(keys) : 0,
        distances && placed > 0 ? sums.distance / (batch * placed) : NaN,
        prefix > 0 ? sums.shared / rows : NaN,
        sums.maximum / rows,
        layouts.same ? sums.self / rows : NaN,
      ],
      head * HEAD_STATISTICS.length,
    );
  }
  return out;
}

/** Sums over the rows of a head. */
function headSums(
  { batch, heads, queries, keys, values }: HeadMatrices,
  head: number,
  prefix: number,
  distances: Float32Array | null,
) {
  const sums = { entropy: 0, distance: 0, shared: 0, maximum: 0, self: 0 };
  for (let image = 0; image < batch; image++)
    for (let query = 0; query < queries; query++) {
      const from = ((image * heads + head) * queries + query) * keys;
      let [largest, before, on, far] = [0, 0, 0, 0];
      for (let key = 0; key < keys; key++) {
        const weight = values[from + key] ?? 0;
        if (weight > 0) sums.entropy -= weight * Math.log(weight);
        if (weight > largest) largest = weight;
        if (key < prefix) before += weight;
        else on += weight;
        far += weight * (distances?.[query * keys + key] ?? 0);
      }
      sums.shared += before;
      sums.maximum += largest;
      sums.self += query < keys ? (values[from + query] ?? 0) : 0;
      if (on > 0) sums.distance += far / on;
    }
  return sums;
}

/** [queries, keys]: cells between the places of a query and a key, 0 where one of them has none. Null without grids. */
function distancesOf(layouts: HeadLayouts, queries: number, keys: number): Float32Array | null {
  if (!layouts.queries || !layouts.keys) return null;
  const from = placesOf(layouts.queries, queries, layouts.queries);
  const to = placesOf(layouts.keys, keys, layouts.queries);
  const out = new Float32Array(queries * keys);
  from.forEach((a, query) => {
    to.forEach((b, key) => {
      if (a && b) out[query * keys + key] = Math.hypot(a.row - b.row, a.column - b.column);
    });
  });
  return out;
}

/** The middle of each token's cell, in cells of the grid `unit`; null for tokens of the prefix. */
function placesOf(
  { rows, columns, prefixTokens }: TokenLayout,
  tokens: number,
  unit: TokenLayout,
): readonly ({ readonly row: number; readonly column: number } | null)[] {
  return Array.from({ length: tokens }, (_, token) => {
    const place = token - prefixTokens;
    if (place < 0) return null;
    return {
      row: ((Math.floor(place / columns) + 0.5) * unit.rows) / rows,
      column: (((place % columns) + 0.5) * unit.columns) / columns,
    };
  });
}
