import { colorTable, valueRange } from '../../../protocol/colorMaps';
import type { HoverPicturesParams, HoverPicturesResult } from '../../../protocol/methods';
import { overlaid } from '../image/overlay';
import { encodePng } from '../image/png';
import type { Raster } from '../image/raster';
import { explain } from './explain';
import type { MethodContext } from './method';
import { fedPicture } from './renderHeatmap';
import { summarize } from './statistics';

/** Longer sides that are tried, largest first: a hover is 250 pixels high, and the filters stand above. */
const SIDES = [72, 64];
const OPACITY = 0.6;
/** Levels of a colour component: as many as the eye tells apart at this size, a third of the bytes. */
const LEVELS = 32;

/**
 * The Grad-CAM of a layer for the highest class (or what else the model's `top` is), its positive part from smallest to largest over the
 * picture, as a PNG of at most `bytes`. Null where no picture is fed or none fits. @throws what `explain` does, for instance
 * UserError `noGrid`.
 */
export async function hoverHeatmap(
  { model, layer, feeds }: HoverPicturesParams,
  bytes: number,
  context: MethodContext,
): Promise<HoverPicturesResult['heatmap']> {
  const isPicture = Object.values(feeds ?? {}).some(({ kind }) => kind === 'image');
  if (!feeds || !isPicture) return null;
  const { map, rows, columns, target } = await explain.compute(
    {
      ...{ model, feeds, method: 'grad-cam', layers: [layer], want: 'map', ahead: true },
      target: { kind: 'top' },
    },
    context,
  );
  const positive = map.map(value => Math.max(value, 0));
  const { minimum, maximum } = summarize(positive.length, i => positive[i] ?? NaN);
  const range = valueRange(minimum, maximum, false);
  for (const side of SIDES) {
    const picture = await fedPicture(feeds, side, context);
    if (!picture) return null;
    const { width, height, rgba } = overlaid(picture, positive, rows, columns, {
      ...{ table: colorTable('inferno'), range },
      ...{ opacity: OPACITY, interpolation: 'bilinear' },
    });
    const png = encodePng(width, height, 3, withFewLevels({ width, height, rgba }));
    if (png.length > bytes) continue;
    return { png, width, height, classIndex: target.classIndex, words: target.words };
  }
  return null;
}

/** Red, green and blue of each pixel, rounded to `LEVELS` values. */
function withFewLevels({ width, height, rgba }: Raster): Uint8Array {
  const step = 255 / (LEVELS - 1);
  const rgb = new Uint8Array(width * height * 3);
  for (let i = 0; i < width * height; i++)
    for (let plane = 0; plane < 3; plane++)
      rgb[3 * i + plane] = Math.round(Math.round((rgba[4 * i + plane] ?? 0) / step) * step);
  return rgb;
}
