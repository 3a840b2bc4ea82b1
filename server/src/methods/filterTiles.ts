import type { FilterView } from '../../../protocol/methods';
import type { FilterBank, ReadElement } from './filterBank';
import { firstComponent } from './principalComponent';

/** The views that make sense for a bank. */
export const filterViews = (bank: FilterBank): readonly FilterView[] =>
  bank.slices === 3
    ? ['rgb', 'slices', 'mean', 'norm', 'component']
    : bank.slices === 1
      ? ['slices']
      : ['slices', 'mean', 'norm', 'component'];

/** The view that is shown first: colour where there are three slices, the only slice, else the norm over slices. */
export const defaultView = (bank: FilterBank): FilterView =>
  bank.slices === 3 ? 'rgb' : bank.slices === 1 ? 'slices' : 'norm';

/** Colour planes of a tile. */
export const planesOf = (view: FilterView): 1 | 3 => (view === 'rgb' ? 3 : 1);

/**
 * Writes the tile of one filter, [planes, rows, columns], raw values:
 * rgb: the three slices as they are; slices: slice `slice`; mean: mean over slices at each position;
 * norm: √Σ w² over slices at each position; component: see {@link firstComponent}.
 */
export function fillTile(
  bank: FilterBank,
  read: ReadElement,
  filter: number,
  view: FilterView,
  slice: number,
  tile: Float32Array,
): void {
  if (view === 'component')
    return firstComponent(filterRows(bank, read, filter), bank.slices, tile);
  const { positions, sliceStride, slices } = bank;
  const area = positions.length;
  const base = bank.filterOffset(filter);
  if (view === 'rgb' || view === 'slices') {
    const first = view === 'rgb' ? 0 : slice;
    for (let plane = 0; plane < planesOf(view); plane++)
      for (let i = 0; i < area; i++)
        tile[plane * area + i] = read(base + (first + plane) * sliceStride + (positions[i] ?? 0));
    return;
  }
  for (let i = 0; i < area; i++) {
    const start = base + (positions[i] ?? 0);
    let sum = 0;
    for (let s = 0; s < slices; s++) {
      const weight = read(start + s * sliceStride);
      sum += view === 'mean' ? weight : weight * weight;
    }
    tile[i] = view === 'mean' ? sum / slices : Math.sqrt(sum);
  }
}

/** All weights of one filter as a matrix [slices, positions]. */
function filterRows(bank: FilterBank, read: ReadElement, filter: number): Float64Array {
  const area = bank.positions.length;
  const base = bank.filterOffset(filter);
  const rows = new Float64Array(bank.slices * area);
  for (let s = 0; s < bank.slices; s++)
    for (let i = 0; i < area; i++)
      rows[s * area + i] = read(base + s * bank.sliceStride + (bank.positions[i] ?? 0));
  return rows;
}
