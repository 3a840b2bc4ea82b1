import { isColorMap, type ColorMap } from '../../../protocol/colorMaps';
import { UserError } from '../../../protocol/errors';
import type { RenderGridParams } from '../../../protocol/methods';
import { drawGrid, withValueBar, type TileGrid } from '../image/draw';
import { encodePng } from '../image/png';
import { sharedMaximum, sliceOf, viewOf } from './filters';
import { drawnSize, filterGrid, mapGrid, type GridChoice } from './grids';
import { layerById, layerMaps } from './layerMaps';
import { layerWeight } from './layerWeight';
import type { Method, MethodContext } from './method';

/** Pixels of the whole picture; tiles are averaged down to stay below. */
const MOST_PIXELS = 2 ** 25;
/** Small tiles are enlarged to about this side. */
const COMFORTABLE_PIXELS = 32;

interface NamedGrid {
  readonly grid: TileGrid;
  readonly texts: Readonly<Record<string, string>>;
}

/**
 * A grid of filters or channels as one PNG, with a value bar where one range holds for all of it. The PNG's text chunks say what it
 * shows.
 */
export const renderGrid: Method<'renderGrid'> = {
  name: 'renderGrid',
  runs: true,
  async compute(params, context) {
    const colorMap = colorMapOf(params);
    const { grid, texts } =
      params.what === 'filters'
        ? filtersGrid(params, colorMap, context)
        : await mapsGrid(params, colorMap, context);
    const zoom = Math.max(1, Math.floor(COMFORTABLE_PIXELS / Math.max(grid.rows, grid.columns)));
    const picture = drawGrid(grid, { zoom });
    const [range] = grid.ranges;
    const one = grid.planes === 1 && range && grid.ranges.length === 1;
    const { width, height, rgba } = one ? withValueBar(picture, grid.table, range) : picture;
    const said = { Layer: params.layer, Scale: params.scale, 'Colour map': colorMap, ...texts };
    return { png: encodePng(width, height, 4, rgba, said), width, height };
  },
};

function colorMapOf({ colorMap }: RenderGridParams): ColorMap {
  if (isColorMap(colorMap)) return colorMap;
  throw new UserError('usage', `There is no colour map "${colorMap}".`);
}

function filtersGrid(
  params: RenderGridParams,
  colorMap: ColorMap,
  context: MethodContext,
): NamedGrid {
  const weight = layerWeight(context, layerById(context, params.layer));
  const view = viewOf(params, weight);
  const slice = sliceOf(params, weight);
  const { bank } = weight;
  const choice = gridChoice(params, colorMap, bank.filters, bank);
  const maximum = sharedMaximum(weight, view, slice, context);
  return {
    grid: filterGrid(weight, view, slice, maximum, choice, context.signal),
    texts: { Tensor: weight.name, View: view === 'slices' ? `slice ${slice}` : view },
  };
}

async function mapsGrid(
  params: RenderGridParams,
  colorMap: ColorMap,
  context: MethodContext,
): Promise<NamedGrid> {
  if (!params.feeds)
    throw new UserError(
      'inputNeeded',
      'Feature maps need an input: choose a picture or a .npy file.',
    );
  const { model, layer, tensor } = params;
  const maps = await layerMaps(
    { model, layer, feeds: params.feeds, ...(tensor ? { tensor } : {}) },
    context,
  );
  const choice = gridChoice(params, colorMap, maps.view.channels, maps.view);
  return { grid: mapGrid(maps, choice, context.signal), texts: { Tensor: maps.name } };
}

function gridChoice(
  params: RenderGridParams,
  colorMap: ColorMap,
  available: number,
  size: { readonly rows: number; readonly columns: number },
): GridChoice {
  const indices = params.channels ?? Array.from({ length: available }, (_, index) => index);
  const wrong = indices.find(index => !Number.isInteger(index) || index < 0 || index >= available);
  if (wrong !== undefined)
    throw new UserError(
      'outOfRange',
      `"${params.layer}" has the channels 0 to ${available - 1}; ${wrong} is none of them.`,
    );
  let pixels = Math.max(size.rows, size.columns);
  const area = (): number => {
    const { rows, columns } = drawnSize(size, pixels);
    return (rows + 1) * (columns + 1) * indices.length;
  };
  while (pixels > 1 && area() > MOST_PIXELS) pixels = Math.floor(pixels / 2);
  return { indices, pixels, scale: params.scale, colorMap };
}
