import {
  colorTable,
  valueRange,
  type ColorMap,
  type ValueRange,
} from '../../../protocol/colorMaps';
import type { FilterView } from '../../../protocol/methods';
import type { TileGrid } from '../image/draw';
import { averageMap, resizeMap } from '../image/resizeMap';
import { fillTile, planesOf } from './filterTiles';
import type { LayerMaps } from './layerMaps';
import type { LayerWeight } from './layerWeight';
import { channelValues } from './mapValues';
import { summarize } from './statistics';

/** A map of one row is drawn higher, so that it can be seen: an eighth of its width, at most so many rows. */
const BAR_ROWS = 12;
const BAR_RATIO = 8;

/** Which tiles are drawn, how large at most, and over which range of values. */
export interface GridChoice {
  readonly indices: readonly number[];
  /** Longest side of a tile; larger ones are averaged down. */
  readonly pixels: number;
  readonly scale: 'own' | 'shared';
  readonly colorMap: ColorMap;
}

/** Values below zero mean as much as those above in every view of weights but the norm. */
export const isSigned = (view: FilterView): boolean => view !== 'norm';

/**
 * Filters as tiles. Ranges are symmetric about zero (from zero for norms): each filter's own largest magnitude, or for `shared` the given
 * one of all filters.
 */
export function filterGrid(
  weight: LayerWeight,
  view: FilterView,
  slice: number,
  sharedMaximum: number,
  choice: GridChoice,
  signal: AbortSignal,
): TileGrid {
  const { bank, read } = weight;
  const planes = planesOf(view);
  const area = bank.positions.length;
  const tile = new Float32Array(planes * area);
  const tiles = choice.indices.map(filter => {
    signal.throwIfAborted();
    fillTile(bank, read, filter, view, slice, tile);
    return Array.from({ length: planes }, (_, plane) =>
      tile.slice(plane * area, (plane + 1) * area),
    );
  });
  const signed = isSigned(view);
  const shared = valueRange(signed ? -sharedMaximum : 0, sharedMaximum, signed);
  const ranges =
    choice.scale === 'shared'
      ? [shared]
      : tiles.map(each =>
          rangeOf(
            each.flatMap(plane => [...plane]),
            signed,
          ),
        );
  return assemble(tiles, planes, bank, ranges, choice);
}

/** Channels of a layer's maps as tiles; `diverging` draws them symmetric about zero. */
export function mapGrid(maps: LayerMaps, choice: GridChoice, signal: AbortSignal): TileGrid {
  const tiles = choice.indices.map(channel => {
    signal.throwIfAborted();
    return [channelValues(maps.view, maps.read, channel)];
  });
  const signed = choice.colorMap === 'diverging';
  const own = tiles.map(([values]) => rangeOf(values ?? [], signed));
  const shared = valueRange(
    Math.min(...own.map(range => range.low)),
    Math.max(...own.map(range => range.high)),
    signed,
  );
  return assemble(tiles, 1, maps.view, choice.scale === 'shared' ? [shared] : own, choice);
}

function rangeOf(values: ArrayLike<number>, signed: boolean): ValueRange {
  const { minimum, maximum } = summarize(values.length, i => values[i] ?? NaN);
  return valueRange(minimum, maximum, signed);
}

interface Size {
  readonly rows: number;
  readonly columns: number;
}

function assemble(
  tiles: readonly (readonly Float32Array[])[],
  planes: 1 | 3,
  from: Size,
  ranges: readonly ValueRange[],
  choice: GridChoice,
): TileGrid {
  const to = drawnSize(from, choice.pixels);
  const area = to.rows * to.columns;
  const values = new Float32Array(tiles.length * planes * area);
  tiles.flat().forEach((plane, index) => values.set(fitted(plane, from, to), index * area));
  return { values, count: tiles.length, planes, ...to, ranges, table: colorTable(choice.colorMap) };
}

/** At most `pixels` on the longer side; a single row becomes a bar. */
export function drawnSize(from: Size, pixels: number): Size {
  const factor = Math.max(1, Math.max(from.rows, from.columns) / Math.max(1, Math.floor(pixels)));
  const columns = Math.max(1, Math.round(from.columns / factor));
  const isBar = from.rows === 1 && from.columns > 1;
  return {
    rows: isBar ? barRows(columns) : Math.max(1, Math.round(from.rows / factor)),
    columns,
  };
}

const barRows = (columns: number): number =>
  Math.min(BAR_ROWS, Math.max(1, Math.round(columns / BAR_RATIO)));

function fitted(values: Float32Array, from: Size, to: Size): Float32Array {
  const rows = Math.min(from.rows, to.rows);
  const reduced = averageMap(values, from.rows, from.columns, rows, to.columns);
  if (rows === to.rows) return reduced;
  return resizeMap(reduced, rows, to.columns, to.rows, to.columns, 'nearest');
}
