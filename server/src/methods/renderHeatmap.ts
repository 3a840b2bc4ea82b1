import { colorTable, isColorMap } from '../../../protocol/colorMaps';
import { UserError } from '../../../protocol/errors';
import type { ModelFeeds } from '../../../protocol/methods';
import { blankRaster, withValueBar } from '../image/draw';
import { overlaid } from '../image/overlay';
import { encodePng } from '../image/png';
import type { Raster } from '../image/raster';
import type { Method, MethodContext } from './method';
import { seenPart } from './picture';

/** A heatmap over what the network sees of the picture, with its value bar. The PNG's text chunks say what it shows. */
export const renderHeatmap: Method<'renderHeatmap'> = {
  name: 'renderHeatmap',
  runs: false,
  async compute(params, context) {
    const { values, rows, columns, colorMap, opacity, interpolation, low, high } = params;
    if (!isColorMap(colorMap))
      throw new UserError('usage', `There is no colour map "${colorMap}".`);
    const picture = await fedPicture(params.feeds, params.pixels, context);
    const table = colorTable(colorMap);
    const range = { low, high };
    const drawn = picture
      ? overlaid(picture, values, rows, columns, { table, range, opacity, interpolation })
      : overlaid(emptyPicture(rows, columns, params.pixels), values, rows, columns, {
          ...{ table, range, interpolation },
          opacity: 1,
        });
    const { width, height, rgba } = withValueBar(drawn, table, range);
    return { png: encodePng(width, height, 4, rgba, params.texts), width, height };
  },
};

/** What the network sees of the first picture among the feeds, its longer side `pixels`; null where none is fed. */
export async function fedPicture(
  feeds: ModelFeeds,
  pixels: number,
  context: MethodContext,
): Promise<Raster | null> {
  const feed = Object.values(feeds).find(each => each.kind === 'image');
  if (!feed) return null;
  const { path, preprocessing } = feed;
  return (await seenPart({ path, preprocessing, pixels }, context)).shown;
}

function emptyPicture(rows: number, columns: number, pixels: number): Raster {
  const factor = Math.max(1, Math.floor(pixels / Math.max(rows, columns)));
  return blankRaster(columns * factor, rows * factor);
}
