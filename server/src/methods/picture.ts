import type { PictureParams } from '../../../protocol/methods';
import type { PictureGeometry } from '../../../protocol/preprocessing';
import { encodePng } from '../image/png';
import { resizePixels } from '../image/resample';
import type { Raster } from '../image/raster';
import type { Method, MethodContext } from './method';

/** The part of a picture that is shown, in picture pixels; it may reach beyond the picture (letterbox). */
interface Region {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** The part of a picture that the network sees, upright, as a PNG; all of it where no preprocessing is given. */
export const picture: Method<'picture'> = {
  name: 'picture',
  runs: false,
  async compute(params, context) {
    const { shown, geometry, notes } = await seenPart(params, context);
    return {
      png: encodePng(shown.width, shown.height, 4, shown.rgba),
      width: shown.width,
      height: shown.height,
      geometry,
      notes,
    };
  },
};

/** What `picture` gives as pixels: the part of a picture that the network sees, at most `pixels` wide and high. */
export async function seenPart(
  params: Omit<PictureParams, 'model'>,
  context: MethodContext,
): Promise<{
  readonly shown: Raster;
  readonly geometry: PictureGeometry | null;
  readonly notes: readonly string[];
}> {
  const { raster, notes } = await context.decode(params.path);
  const geometry = await geometryOf(params, context);
  context.signal.throwIfAborted();
  return { shown: crop(raster, regionOf(raster, geometry), params), geometry, notes };
}

async function geometryOf(
  params: Omit<PictureParams, 'model'>,
  context: MethodContext,
): Promise<PictureGeometry | null> {
  if (!params.preprocessing) return null;
  const { geometry } = await context.preprocess(params.path, params.preprocessing);
  return geometry;
}

const regionOf = (raster: Raster, geometry: PictureGeometry | null): Region =>
  geometry
    ? {
        left: geometry.offsetX,
        top: geometry.offsetY,
        width: geometry.fed.width * geometry.scaleX,
        height: geometry.fed.height * geometry.scaleY,
      }
    : { left: 0, top: 0, width: raster.width, height: raster.height };

/** Cuts a region out and reduces it to at most `pixels` on the longer side; what lies beyond the picture has the border's grey. */
function crop(raster: Raster, region: Region, params: Omit<PictureParams, 'model'>): Raster {
  const factor = Math.min(1, params.pixels / Math.max(region.width, region.height));
  const scaled = (length: number): number => Math.max(1, Math.round(length * factor));
  const width = scaled(region.width);
  const height = scaled(region.height);
  const size = { width: scaled(raster.width), height: scaled(raster.height) };
  const left = Math.round(region.left * factor);
  const top = Math.round(region.top * factor);
  const window = {
    left: Math.min(Math.max(0, left), size.width - 1),
    top: Math.min(Math.max(0, top), size.height - 1),
    width: 0,
    height: 0,
  };
  window.width = Math.max(1, Math.min(size.width, left + width) - window.left);
  window.height = Math.max(1, Math.min(size.height, top + height) - window.top);
  const source = { width: raster.width, height: raster.height, planes: 4, data: raster.rgba };
  const part = resizePixels(source, size, 'bilinear', window);
  const rgba = borderOf(width, height, params);
  for (let row = 0; row < window.height; row++) {
    const from = row * window.width * 4;
    const to = ((row + window.top - top) * width + window.left - left) * 4;
    rgba.set(part.data.subarray(from, from + window.width * 4), to);
  }
  return { width, height, rgba };
}

function borderOf(width: number, height: number, params: Omit<PictureParams, 'model'>): Uint8Array {
  const grey =
    params.preprocessing?.resize.value === 'letterbox' ? params.preprocessing.border.value : 0;
  const rgba = new Uint8Array(width * height * 4).fill(grey);
  for (let i = 3; i < rgba.length; i += 4) rgba[i] = 255;
  return rgba;
}
