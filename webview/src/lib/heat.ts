import {
  COLOR_MAPS,
  colorIndex,
  isColorMap,
  valueRange,
  type ColorMap,
  type ValueRange,
} from '../../../protocol/colorMaps';

/** From numbers to pixels. Colour tables are 256 RGB triples, 0 for the low end of the range and 255 for the high end. */

/** Colour maps a person can choose; `auto` is diverging for signed values and viridis for magnitudes. */
export const COLOR_CHOICES = ['auto', ...COLOR_MAPS].map(name => ({ value: name, label: name }));

/** The colour map that is really used for values of this range. Names that are not known are treated as `auto`. */
export function resolveColorMap(name: string, range: ValueRange): ColorMap {
  if (isColorMap(name)) return name;
  return range.low < 0 && range.high > 0 ? 'diverging' : 'viridis';
}

/** The range as a colour map needs it: a diverging one is centred on zero. */
export const rangeFor = (colorMap: ColorMap, range: ValueRange): ValueRange =>
  valueRange(range.low, range.high, colorMap === 'diverging');

/**
 * Colours of a quantised tile's 256 steps: step q stands for tile.low + q/255 · (tile.high − tile.low), shown on the scale.
 * @returns 256 RGB triples
 */
export function tileColors(table: Uint8Array, tile: ValueRange, scale: ValueRange): Uint8Array {
  const colors = new Uint8Array(768);
  const span = tile.high - tile.low;
  for (let step = 0; step < 256; step++) {
    const at = 3 * Math.max(colorIndex(tile.low + (step / 255) * span, scale), 0);
    colors.set(table.subarray(at, at + 3), 3 * step);
  }
  return colors;
}

/** RGBA of a quantised tile, [rows, columns] steps, by the colours of its steps. */
export function stepPixels(steps: Uint8Array, colors: Uint8Array): Uint8ClampedArray<ArrayBuffer> {
  const pixels = new Uint8ClampedArray(steps.length * 4);
  for (let i = 0; i < steps.length; i++) {
    const at = 3 * (steps[i] ?? 0);
    pixels[4 * i] = colors[at] ?? 0;
    pixels[4 * i + 1] = colors[at + 1] ?? 0;
    pixels[4 * i + 2] = colors[at + 2] ?? 0;
    pixels[4 * i + 3] = 255;
  }
  return pixels;
}

/** RGBA of raw values, [rows, columns]; NaN stays transparent. */
export function valuePixels(
  values: Float32Array,
  table: Uint8Array,
  range: ValueRange,
): Uint8ClampedArray<ArrayBuffer> {
  const pixels = new Uint8ClampedArray(values.length * 4);
  for (let i = 0; i < values.length; i++) {
    const index = colorIndex(values[i] ?? Number.NaN, range);
    if (index < 0) continue;
    const at = 3 * index;
    pixels[4 * i] = table[at] ?? 0;
    pixels[4 * i + 1] = table[at + 1] ?? 0;
    pixels[4 * i + 2] = table[at + 2] ?? 0;
    pixels[4 * i + 3] = 255;
  }
  return pixels;
}

/**
 * RGBA of three planes, [3, rows, columns], each component round(127.5 + 127.5 · value / most): zero is mid grey, ±most the ends.
 */
export function colorPixels(values: Float32Array, most: number): Uint8ClampedArray<ArrayBuffer> {
  const area = values.length / 3;
  const pixels = new Uint8ClampedArray(area * 4);
  for (let i = 0; i < area; i++) {
    for (let plane = 0; plane < 3; plane++) {
      const value = values[plane * area + i] ?? 0;
      pixels[4 * i + plane] = most > 0 ? Math.round(127.5 + (127.5 * value) / most) : 128;
    }
    pixels[4 * i + 3] = 255;
  }
  return pixels;
}

/**
 * Bilinear resampling with half-pixel centres (torch.nn.functional.interpolate, align_corners=False), edges repeated.
 * @param values [rows, columns]
 * @returns [outRows, outColumns]
 */
export function resampleBilinear(
  values: Float32Array,
  rows: number,
  columns: number,
  outRows: number,
  outColumns: number,
): Float32Array {
  const out = new Float32Array(outRows * outColumns);
  for (let y = 0; y < outRows; y++) {
    const sourceY = Math.max(((y + 0.5) * rows) / outRows - 0.5, 0);
    const top = Math.min(Math.floor(sourceY), rows - 1);
    const bottom = Math.min(top + 1, rows - 1);
    const fy = sourceY - top;
    for (let x = 0; x < outColumns; x++) {
      const sourceX = Math.max(((x + 0.5) * columns) / outColumns - 0.5, 0);
      const left = Math.min(Math.floor(sourceX), columns - 1);
      const right = Math.min(left + 1, columns - 1);
      const fx = sourceX - left;
      const at = (row: number, column: number): number => values[row * columns + column] ?? 0;
      const upper = at(top, left) * (1 - fx) + at(top, right) * fx;
      const lower = at(bottom, left) * (1 - fx) + at(bottom, right) * fx;
      out[y * outColumns + x] = upper * (1 - fy) + lower * fy;
    }
  }
  return out;
}

/** Black or white, whichever is easier to read on a pixel of data (relative luminance, WCAG 2). */
export function inkOn(rgba: Uint8ClampedArray, pixel: number): string {
  const linear = (component: number): number => {
    const value = component / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  const [red = 0, green = 0, blue = 0] = rgba.subarray(4 * pixel, 4 * pixel + 3);
  const luminance = 0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue);
  return luminance > 0.179 ? '#000' : '#fff';
}
