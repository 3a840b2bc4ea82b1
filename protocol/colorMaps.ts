import { COLOR_TABLES } from './colorTables';

export type ColorMap = keyof typeof COLOR_TABLES;

/** All colour maps, the default first. */
export const COLOR_MAPS: readonly ColorMap[] = ['viridis', 'inferno', 'turbo', 'grey', 'diverging'];

export const isColorMap = (name: unknown): name is ColorMap =>
  COLOR_MAPS.some(known => known === name);

const decoded = new Map<ColorMap, Uint8Array>();

/** 256 colours of three bytes, red green blue. Shared by all callers: not to be changed. */
export function colorTable(name: ColorMap): Uint8Array {
  const known = decoded.get(name);
  if (known) return known;
  const text = COLOR_TABLES[name];
  const table = Uint8Array.from({ length: 768 }, (_, i) =>
    Number.parseInt(text.slice(2 * i, 2 * i + 2), 16),
  );
  decoded.set(name, table);
  return table;
}

/** The values at the two ends of a colour map. */
export interface ValueRange {
  readonly low: number;
  readonly high: number;
}

/**
 * The range that values from `minimum` to `maximum` are shown in: signed values symmetric about zero, ±max|v|, so that zero is the middle
 * colour; magnitudes from smallest to largest. A range without extent, or that is not finite, becomes one of width 1 (2 where signed) that starts
 * at the value, so that a constant map is drawn in the lowest colour (zero: the middle one).
 */
export function valueRange(minimum: number, maximum: number, signed: boolean): ValueRange {
  const low = Number.isFinite(minimum) ? minimum : 0;
  const high = Number.isFinite(maximum) ? maximum : low;
  if (!signed) return high > low ? { low, high } : { low, high: low + 1 };
  const reach = Math.max(Math.abs(low), Math.abs(high)) || 1;
  return { low: -reach, high: reach };
}

/** Index 0…255 of a value in a colour table; values outside the range take its ends. −1 for NaN, which has no colour. */
export function colorIndex(value: number, range: ValueRange): number {
  if (Number.isNaN(value)) return -1;
  const position = (value - range.low) / (range.high - range.low);
  return Math.min(255, Math.max(0, Math.round(position * 255)));
}
