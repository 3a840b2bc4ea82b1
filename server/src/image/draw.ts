import { colorIndex, valueRange, type ValueRange } from '../../../protocol/colorMaps';
import type { Raster } from './raster';
import { GLYPH_HEIGHT, GLYPH_WIDTH, glyphPixel, textWidth } from './font';

type Colour = readonly [red: number, green: number, blue: number];

const BACKGROUND: Colour = [32, 32, 32];
const TEXT: Colour = [224, 224, 224];
/** Of values that are not a number. */
const MISSING: Colour = [128, 0, 128];

/** Tiles to be drawn side by side. */
export interface TileGrid {
  /** [count, planes, rows, columns]; planes 3 are red, green and blue over one range. */
  readonly values: Float32Array;
  readonly count: number;
  readonly planes: 1 | 3;
  readonly rows: number;
  readonly columns: number;
  /** One range for each tile, or one for all. */
  readonly ranges: readonly ValueRange[];
  /** 256 × RGB. */
  readonly table: Uint8Array;
}

export interface GridOptions {
  /** Tiles in a row; about a square picture where left out. */
  readonly across?: number;
  /** Whole-number enlargement of a tile's pixels, nearest neighbour. */
  readonly zoom?: number;
  /** Pixels between tiles and around them. */
  readonly gap?: number;
}

/** An opaque picture of one colour. */
export function blankRaster(width: number, height: number, colour: Colour = BACKGROUND): Raster {
  const rgba = new Uint8Array(width * height * 4);
  for (let i = 0; i < rgba.length; i += 4) rgba.set([...colour, 255], i);
  return { width, height, rgba };
}

/** Draws tiles in a grid, row by row, each value through the colour table (or as a colour for three planes). */
export function drawGrid(grid: TileGrid, options: GridOptions = {}): Raster {
  const { zoom = 1, gap = 1 } = options;
  const [tileWidth, tileHeight] = [grid.columns * zoom + gap, grid.rows * zoom + gap];
  const across =
    options.across ??
    Math.max(1, Math.min(grid.count, Math.round(Math.sqrt((grid.count * tileHeight) / tileWidth))));
  const down = Math.max(1, Math.ceil(grid.count / across));
  const raster = blankRaster(across * tileWidth + gap, down * tileHeight + gap);
  for (let tile = 0; tile < grid.count; tile++)
    drawTile(
      raster,
      grid,
      tile,
      gap + (tile % across) * tileWidth,
      gap + Math.floor(tile / across) * tileHeight,
      zoom,
    );
  return raster;
}

function drawTile(
  raster: Raster,
  grid: TileGrid,
  tile: number,
  left: number,
  top: number,
  zoom: number,
): void {
  const { rows, columns, planes } = grid;
  const range = grid.ranges[tile] ?? grid.ranges[0] ?? valueRange(0, 0, false);
  const size = rows * columns;
  const start = tile * planes * size;
  for (let i = 0; i < size; i++) {
    const value = (plane: number): number => grid.values[start + plane * size + i] ?? NaN;
    const colour =
      planes === 1
        ? tableColour(grid.table, value(0), range)
        : rgbColour([value(0), value(1), value(2)], range);
    fillRectangle(
      raster,
      left + (i % columns) * zoom,
      top + Math.floor(i / columns) * zoom,
      zoom,
      zoom,
      colour,
    );
  }
}

function tableColour(table: Uint8Array, value: number, range: ValueRange): Colour {
  const index = colorIndex(value, range);
  return index < 0
    ? MISSING
    : [table[3 * index] ?? 0, table[3 * index + 1] ?? 0, table[3 * index + 2] ?? 0];
}

function rgbColour([red, green, blue]: Colour, range: ValueRange): Colour {
  const bytes: Colour = [colorIndex(red, range), colorIndex(green, range), colorIndex(blue, range)];
  return bytes.some(byte => byte < 0) ? MISSING : bytes;
}

function fillRectangle(
  raster: Raster,
  left: number,
  top: number,
  width: number,
  height: number,
  colour: Colour,
): void {
  for (let y = Math.max(0, top); y < Math.min(raster.height, top + height); y++)
    for (let x = Math.max(0, left); x < Math.min(raster.width, left + width); x++)
      raster.rgba.set(colour, 4 * (y * raster.width + x));
}

/** A number in at most seven characters, for the ends of a value bar. */
export function tickText(value: number): string {
  if (value === 0) return '0';
  const magnitude = Math.abs(value);
  const text =
    magnitude >= 0.001 && magnitude < 10000 ? value.toPrecision(3) : value.toExponential(1);
  return text.includes('e') ? text : String(Number(text));
}

const BAR_HEIGHT = 8;
const MARGIN = 4;

/** The picture with a value bar below it: the colour table from left to right, the values at its ends under it. */
export function withValueBar(picture: Raster, table: Uint8Array, range: ValueRange): Raster {
  const [low, high] = [tickText(range.low), tickText(range.high)];
  const width = Math.max(picture.width, textWidth(low) + textWidth(high) + 4 * MARGIN);
  const raster = blankRaster(width, picture.height + BAR_HEIGHT + GLYPH_HEIGHT + 3 * MARGIN);
  for (let row = 0; row < picture.height; row++)
    raster.rgba.set(
      picture.rgba.subarray(row * picture.width * 4, (row + 1) * picture.width * 4),
      row * width * 4,
    );
  const barTop = picture.height + MARGIN;
  const barWidth = width - 2 * MARGIN;
  for (let x = 0; x < barWidth; x++) {
    const index = Math.round((x * 255) / Math.max(1, barWidth - 1));
    const colour: Colour = [
      table[3 * index] ?? 0,
      table[3 * index + 1] ?? 0,
      table[3 * index + 2] ?? 0,
    ];
    fillRectangle(raster, MARGIN + x, barTop, 1, BAR_HEIGHT, colour);
  }
  const textTop = barTop + BAR_HEIGHT + MARGIN;
  drawText(raster, low, MARGIN, textTop);
  drawText(raster, high, width - MARGIN - textWidth(high), textTop);
  return raster;
}

/** Writes digits, signs, the point and `e` in 5×7 pixels. */
export function drawText(
  raster: Raster,
  text: string,
  left: number,
  top: number,
  colour: Colour = TEXT,
): void {
  for (const [position, character] of [...text].entries())
    for (let y = 0; y < GLYPH_HEIGHT; y++)
      for (let x = 0; x < GLYPH_WIDTH; x++)
        if (glyphPixel(character, x, y))
          fillRectangle(raster, left + position * (GLYPH_WIDTH + 1) + x, top + y, 1, 1, colour);
}
