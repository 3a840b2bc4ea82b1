import { colorIndex, type ValueRange } from '../../../protocol/colorMaps';
import type { Raster } from './raster';
import { resizeMap } from './resizeMap';

/** A map laid over a picture. */
export interface OverlayOptions {
  /** 256 × RGB. */
  readonly table: Uint8Array;
  readonly range: ValueRange;
  /** Share of the map's colour, 0…1; the picture's is the rest. */
  readonly opacity: number;
  readonly interpolation: 'bilinear' | 'nearest';
}

/** The picture with a map [rows, columns] enlarged over all of it. Values that are not a number leave the picture as it is. */
export function overlaid(
  picture: Raster,
  map: Float32Array,
  rows: number,
  columns: number,
  { table, range, opacity, interpolation }: OverlayOptions,
): Raster {
  const { width, height } = picture;
  const values = resizeMap(map, rows, columns, height, width, interpolation);
  const rgba = Uint8Array.from(picture.rgba);
  values.forEach((value, i) => {
    const index = colorIndex(value, range);
    if (index < 0) return;
    for (let plane = 0; plane < 3; plane++) {
      const under = rgba[4 * i + plane] ?? 0;
      const over = table[3 * index + plane] ?? 0;
      rgba[4 * i + plane] = Math.round(under * (1 - opacity) + over * opacity);
    }
  });
  return { width, height, rgba };
}
