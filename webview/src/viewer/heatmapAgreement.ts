import type { MapSize } from '../lib/geometry';

/** How far two maps rank the places of a picture alike. */

/** A map over the whole picture, [rows, columns]. */
export interface RankedMap extends MapSize {
  readonly values: Float32Array;
}

/** The grid on which maps are compared: the fewest rows and columns of them, so that no place is made up. */
export const commonGrid = (maps: readonly MapSize[]): MapSize => ({
  rows: Math.min(...maps.map(map => map.rows)),
  columns: Math.min(...maps.map(map => map.columns)),
});

/** The mean of a map over each cell of a coarser grid; cells that a border cuts count by their area. */
export function averagedTo(map: RankedMap, { rows, columns }: MapSize): Float32Array {
  if (map.rows === rows && map.columns === columns) return map.values;
  const byColumns = new Float64Array(map.rows * columns);
  const across = spans(map.columns, columns);
  for (let row = 0; row < map.rows; row++)
    across.forEach((parts, column) => {
      for (const { at, share } of parts)
        byColumns[row * columns + column] =
          (byColumns[row * columns + column] ?? 0) +
          share * (map.values[row * map.columns + at] ?? 0);
    });
  const out = new Float32Array(rows * columns);
  spans(map.rows, rows).forEach((parts, row) => {
    for (let column = 0; column < columns; column++) {
      let sum = 0;
      for (const { at, share } of parts) sum += share * (byColumns[at * columns + column] ?? 0);
      out[row * columns + column] = sum;
    }
  });
  return out;
}

/** For each of `to` equal parts of a line of `from` cells: the cells under it and their share of it. */
function spans(
  from: number,
  to: number,
): readonly (readonly { readonly at: number; readonly share: number }[])[] {
  const length = from / to;
  return Array.from({ length: to }, (_, part) => {
    const [start, end] = [part * length, (part + 1) * length];
    const cells = [];
    for (let at = Math.floor(start); at < Math.min(Math.ceil(end - 1e-9), from); at++)
      cells.push({ at, share: (Math.min(at + 1, end) - Math.max(at, start)) / length });
    return cells;
  });
}

/**
 * Spearman's rank correlation, −1…1: Pearson's of the ranks, equal values sharing the mean of theirs (scipy.stats.spearmanr).
 * Null where one side is constant or not finite.
 */
export function rankCorrelation(a: Float32Array, b: Float32Array): number | null {
  const [x, y] = [ranks(a), ranks(b)];
  if (!x || !y || a.length !== b.length) return null;
  const mean = (a.length + 1) / 2;
  let [xx, yy, xy] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    const [dx, dy] = [(x[i] ?? 0) - mean, (y[i] ?? 0) - mean];
    xx += dx * dx;
    yy += dy * dy;
    xy += dx * dy;
  }
  return xx === 0 || yy === 0 ? null : xy / Math.sqrt(xx * yy);
}

/** Ranks from 1, ties at their mean; null where a value is not finite. */
function ranks(values: Float32Array): Float64Array | null {
  if (values.some(value => !Number.isFinite(value))) return null;
  const order = Array.from(values.keys()).sort((i, j) => (values[i] ?? 0) - (values[j] ?? 0));
  const out = new Float64Array(values.length);
  for (let start = 0; start < order.length;) {
    let end = start + 1;
    const value = values[order[start] ?? 0];
    while (end < order.length && values[order[end] ?? 0] === value) end++;
    for (let i = start; i < end; i++) out[order[i] ?? 0] = (start + 1 + end) / 2;
    start = end;
  }
  return out;
}

/** Each map with each other one, on their common grid. */
export interface Agreement {
  readonly grid: MapSize;
  /** [maps][maps]; 1 on the diagonal, null where there is no rank. */
  readonly matrix: readonly (readonly (number | null)[])[];
}

/** Null for fewer than two maps. */
export function agreementOf(maps: readonly RankedMap[]): Agreement | null {
  if (maps.length < 2) return null;
  const grid = commonGrid(maps);
  const coarse = maps.map(map => averagedTo(map, grid));
  const matrix = coarse.map((a, i) => coarse.map((b, j) => (i === j ? 1 : rankCorrelation(a, b))));
  return { grid, matrix };
}
