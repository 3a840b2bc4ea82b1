import type { FusedMatrices } from './fuse';
import type { WindowPlaces } from './windows';

/**
 * The weights of windows on the grid that they are cut from: [images, places, places], zero between windows; with `row` one query's row, or (null) the
 * mean of all, as [images, 1, places].
 */
export function unwindowed(
  { batch, queries, keys, values }: FusedMatrices,
  { grid, places, images }: WindowPlaces,
  row?: number | null,
): FusedMatrices {
  const count = grid.rows * grid.columns;
  const rows = row === undefined ? count : 1;
  const out = new Float64Array(images * rows * count);
  const windows = batch / images;
  const share = row === null ? 1 / count : 1;
  for (let window = 0; window < batch; window++)
    for (let query = 0; query < queries; query++) {
      const place = places[window * queries + query] ?? -1;
      if (place < 0 || (typeof row === 'number' && place !== row)) continue;
      const image = Math.floor(window / windows);
      const to = (image * rows + (row === undefined ? place : 0)) * count;
      for (let key = 0; key < keys; key++) {
        const other = places[window * queries + key] ?? -1;
        if (other < 0) continue;
        const weight = values[(window * queries + query) * keys + key] ?? 0;
        out[to + other] = (out[to + other] ?? 0) + share * weight;
      }
    }
  return { batch: images, queries: rows, keys: count, values: out };
}
