import { UserError } from '../../../protocol/errors';
import type { HoverPicturesParams, HoverPicturesResult } from '../../../protocol/methods';
import { drawGrid, type TileGrid } from '../image/draw';
import { encodePng } from '../image/png';
import { sharedMaximum } from './filters';
import { defaultView } from './filterTiles';
import { filterGrid, isSigned, mapGrid } from './grids';
import { hoverHeatmap } from './hoverHeatmap';
import { layerById, layerMaps } from './layerMaps';
import { layerWeight } from './layerWeight';
import { channelStatistics, STATISTICS } from './mapValues';
import type { Method, MethodContext } from './method';

/** Tiles that a hover tries to show, most first. */
const FILTER_COUNTS = [64, 48, 32, 24, 16, 8, 4, 1];
const MAP_COUNTS = [9, 8, 6, 4, 2, 1];
/** Longest side of a tile, and of a single wide one, on the hover's 750 × 250 pixels. */
const FILTER_PIXELS = 28;
const MAP_PIXELS = 56;
const BAR_PIXELS = 480;
/** A single tile, and bars, are enlarged to about this side. */
const SINGLE_PIXELS = 240;
/** Guesses of the next size stay a little below what fits. */
const CAUTION = 0.95;
const HOVER_WIDTH = 520;
/** How much of the bytes the filters may take, and of what is left then the heatmap. */
const FILTER_SHARE = 0.4;
const HEATMAP_SHARE = 0.6;

interface HoverPicture {
  readonly png: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly indices: readonly number[];
}

/**
 * Pictures of a layer for a hover: its first filters over one shared scale, its Grad-CAM, and its strongest maps (largest mean magnitude)
 * each over its own scale. As many tiles as fit `maximumBytes` together; what the layer does not have, or what cannot be run, is null.
 */
export const hoverPictures: Method<'hoverPictures'> = {
  name: 'hoverPictures',
  runs: true,
  async compute(params, context) {
    const { feeds, maximumBytes } = params;
    const share = feeds ? FILTER_SHARE : 1;
    const filters = await orNull(async () => filterPicture(params, share * maximumBytes, context));
    let left = maximumBytes - (filters?.png.length ?? 0);
    const heatmap = await orNull(() => hoverHeatmap(params, HEATMAP_SHARE * left, context));
    left -= heatmap?.png.length ?? 0;
    const maps = feeds ? await orNull(() => mapPicture(params, left, context)) : null;
    return { filters: filtersResult(filters), maps: mapsResult(maps), heatmap };
  },
};

function filtersResult(picture: HoverPicture | null): HoverPicturesResult['filters'] {
  if (!picture) return null;
  const { png, width, height, indices } = picture;
  return { png, width, height, shown: indices.length };
}

function mapsResult(picture: HoverPicture | null): HoverPicturesResult['maps'] {
  if (!picture) return null;
  const { png, width, height, indices } = picture;
  return { png, width, height, channels: indices };
}

/** A picture that a layer does not have is no error in a hover; a cancelled one is. */
async function orNull<T>(make: () => Promise<T | null>): Promise<T | null> {
  try {
    return await make();
  } catch (error) {
    if (error instanceof UserError && error.code !== 'cancelled') return null;
    throw error;
  }
}

function filterPicture(
  params: HoverPicturesParams,
  bytes: number,
  context: MethodContext,
): HoverPicture | null {
  const weight = layerWeight(context, layerById(context, params.layer));
  const { bank } = weight;
  const view = defaultView(bank);
  const maximum = sharedMaximum(weight, view, 0, context);
  const order = Array.from(
    { length: Math.min(bank.filters, FILTER_COUNTS[0] ?? 1) },
    (_, index) => index,
  );
  return largestFitting(order, FILTER_COUNTS, bytes, FILTER_PIXELS, indices =>
    filterGrid(
      weight,
      view,
      0,
      maximum,
      {
        indices,
        pixels: bank.filters === 1 ? BAR_PIXELS : FILTER_PIXELS,
        scale: 'shared',
        colorMap: isSigned(view) ? 'diverging' : 'viridis',
      },
      context.signal,
    ),
  );
}

async function mapPicture(
  params: HoverPicturesParams,
  bytes: number,
  context: MethodContext,
): Promise<HoverPicture | null> {
  const { model, layer } = params;
  const maps = await layerMaps({ model, layer, feeds: params.feeds ?? {} }, context, {
    ahead: true,
  });
  const { statistics } = channelStatistics(maps.view, maps.read, context.signal);
  const strength = (channel: number): number =>
    statistics[channel * STATISTICS.length + STATISTICS.indexOf('meanMagnitude')] ?? 0;
  const order = Array.from({ length: maps.view.channels }, (_, channel) => channel).sort(
    (a, b) => strength(b) - strength(a) || a - b,
  );
  const pixels = maps.view.rows === 1 ? BAR_PIXELS : MAP_PIXELS;
  return largestFitting(order, MAP_COUNTS, bytes, MAP_PIXELS, indices =>
    mapGrid(maps, { indices, pixels, scale: 'own', colorMap: 'viridis' }, context.signal),
  );
}

/** The picture of the most tiles (in the given order) whose PNG fits; null where not even one does. */
function largestFitting(
  order: readonly number[],
  counts: readonly number[],
  bytes: number,
  pixels: number,
  gridOf: (indices: readonly number[]) => TileGrid,
): HoverPicture | null {
  let limit = order.length;
  for (const count of new Set(counts.map(each => Math.min(each, order.length)))) {
    if (count > limit) continue;
    const indices = order.slice(0, count);
    const grid = gridOf(indices);
    const single = count === 1 || (grid.columns > 1 && grid.rows * 2 <= grid.columns);
    const side = single ? SINGLE_PIXELS : pixels;
    const zoom = Math.max(1, Math.floor(side / Math.max(grid.rows, grid.columns)));
    const width = grid.columns * zoom + 1;
    const across = Math.max(1, Math.min(count, Math.floor(HOVER_WIDTH / width)));
    const raster = drawGrid(grid, { zoom, across });
    const png = encodePng(raster.width, raster.height, 3, withoutAlpha(raster.rgba));
    if (png.length <= bytes) return { png, width: raster.width, height: raster.height, indices };
    limit = Math.max(1, Math.floor((count * bytes * CAUTION) / png.length));
  }
  return null;
}

function withoutAlpha(rgba: Uint8Array): Uint8Array {
  const rgb = new Uint8Array((rgba.length / 4) * 3);
  for (let from = 0, to = 0; from < rgba.length; from += 4, to += 3) {
    rgb[to] = rgba[from] ?? 0;
    rgb[to + 1] = rgba[from + 1] ?? 0;
    rgb[to + 2] = rgba[from + 2] ?? 0;
  }
  return rgb;
}
