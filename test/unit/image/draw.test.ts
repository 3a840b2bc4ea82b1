import { describe, expect, it } from 'vitest';
import {
  COLOR_MAPS,
  colorIndex,
  colorTable,
  isColorMap,
  valueRange,
} from '../../../protocol/colorMaps';
import { decodeImage } from '../../../server/src/image/decode';
import { blankRaster, drawGrid, tickText, withValueBar } from '../../../server/src/image/draw';
import { encodePng } from '../../../server/src/image/png';
import type { Raster } from '../../../server/src/image/raster';
import { fixtureBytes, rgbOf } from './fixtures';

const pixel = ({ rgba, width }: Raster, x: number, y: number): number[] => [
  ...rgba.subarray(4 * (y * width + x), 4 * (y * width + x) + 3),
];

describe('encodePng', () => {
  it('is read back by the decoder, pixel by pixel, for 1, 3 and 4 channels', async () => {
    const { raster } = await decodeImage(fixtureBytes('alpha.png'), 'alpha.png');
    const { width, height, rgba } = raster;
    const rgb = rgbOf(raster);
    const grey = rgb.filter((_, i) => i % 3 === 1);
    const back = async (channels: 1 | 3 | 4, pixels: Uint8Array): Promise<Raster> =>
      (await decodeImage(Buffer.from(encodePng(width, height, channels, pixels)), 'a.png')).raster;
    expect((await back(4, rgba)).rgba).toEqual(rgba);
    expect(rgbOf(await back(3, rgb))).toEqual(rgb);
    expect(rgbOf(await back(1, grey)).filter((_, i) => i % 3 === 0)).toEqual(grey);
  });

  it('carries text and is deterministic', () => {
    const make = (): Uint8Array =>
      encodePng(1, 1, 1, Uint8Array.of(7), { Source: 'méthode', 'result.json': '{}' });
    expect(make()).toEqual(make());
    expect(Buffer.from(make()).toString('utf8')).toContain('iTXtSource\0\0\0\0\0méthode');
  });
});

describe('colour maps', () => {
  // The published ends of each map.
  it.each([
    ['viridis', '440154', 'fde725'],
    ['inferno', '000004', 'fcffa4'],
    ['turbo', '23171b', '900c00'],
    ['grey', '000000', 'ffffff'],
    ['diverging', '053061', '67001f'],
  ] as const)('%s', (name, first, last) => {
    const hex = Buffer.from(colorTable(name)).toString('hex');
    expect([hex.slice(0, 6), hex.slice(-6)]).toEqual([first, last]);
  });

  it('are known by name', () => {
    expect(COLOR_MAPS.every(isColorMap)).toBe(true);
    expect(isColorMap('jet')).toBe(false);
    for (const name of COLOR_MAPS) expect(colorTable(name)).toHaveLength(768);
    expect([...colorTable('grey').subarray(381, 384)]).toEqual([127, 127, 127]);
  });

  it('diverge with blue below and red above zero', () => {
    const table = colorTable('diverging');
    expect(table[2]).toBeGreaterThan(table[0] ?? 0);
    expect(table[765]).toBeGreaterThan(table[767] ?? 0);
  });

  it('are centred on zero for signed values', () => {
    expect(valueRange(-1, 3, true)).toEqual({ low: -3, high: 3 });
    expect(valueRange(-1, 3, false)).toEqual({ low: -1, high: 3 });
    expect(valueRange(2, 2, false)).toEqual({ low: 2, high: 3 });
    expect(valueRange(0, 0, true)).toEqual({ low: -1, high: 1 });
    expect(valueRange(Infinity, -Infinity, false)).toEqual({ low: 0, high: 1 });
    expect(colorIndex(0, valueRange(-4, 3, true))).toBe(128);
    expect(colorIndex(9, { low: 0, high: 1 })).toBe(255);
    expect(colorIndex(NaN, { low: 0, high: 1 })).toBe(-1);
  });
});

describe('drawGrid', () => {
  const table = colorTable('grey');
  it('draws tiles row by row with separators', () => {
    const values = Float32Array.from([0, 1, 0.5, NaN]);
    const raster = drawGrid(
      { values, count: 4, planes: 1, rows: 1, columns: 1, ranges: [{ low: 0, high: 1 }], table },
      { zoom: 2, across: 2 },
    );
    expect([raster.width, raster.height]).toEqual([7, 7]);
    expect([
      pixel(raster, 1, 1),
      pixel(raster, 4, 2),
      pixel(raster, 1, 4),
      pixel(raster, 5, 5),
    ]).toEqual([
      [0, 0, 0],
      [255, 255, 255],
      [128, 128, 128],
      [128, 0, 128],
    ]);
    expect(pixel(raster, 3, 3)).toEqual([32, 32, 32]);
  });

  it('shows three planes as a colour over one symmetric range', () => {
    const values = Float32Array.from([-1, 0, 1]);
    const raster = drawGrid({
      values,
      count: 1,
      planes: 3,
      rows: 1,
      columns: 1,
      ranges: [valueRange(-1, 1, true)],
      table,
    });
    expect(pixel(raster, 1, 1)).toEqual([0, 128, 255]);
  });
});

describe('withValueBar', () => {
  it('adds the colour table and its ends below the picture', () => {
    const table = colorTable('viridis');
    const raster = withValueBar(blankRaster(100, 10), table, { low: -1.5, high: 2 });
    expect(raster.width).toBe(100);
    expect(pixel(raster, 4, 14)).toEqual([...table.subarray(0, 3)]);
    expect(pixel(raster, 95, 21)).toEqual([...table.subarray(765)]);
    // The minus sign of −1.5, and the lower edge of the 2.
    expect(pixel(raster, 4, 29)).toEqual([224, 224, 224]);
    expect(pixel(raster, 95, 32)).toEqual([224, 224, 224]);
  });

  it.each([
    [0, '0'],
    [1.23456, '1.23'],
    [-250.4, '-250'],
    [0.00001234, '1.2e-5'],
    [123456, '1.2e+5'],
  ])('writes %d as %s', (value, text) => expect(tickText(value)).toBe(text));
});
