import type { AttributionMethod, ExplainResult } from '../../../protocol/attribution';
import { ATTRIBUTION_FACTS } from '../../../protocol/attributionFacts';
import type { ColorMap, ValueRange } from '../../../protocol/colorMaps';
import type { ShownPart } from '../../../protocol/views';
import type { MapSize } from './geometry';
import { formatNumber } from './format';
import { rangeFor, resolveColorMap } from './heat';

/** From the numbers of an attribution to what is painted of them. */

/** Share of the pixels that a fine map's colours tell apart; the few above it would darken all others. */
const TOLD_APART = 0.995;
const BINS = 4096;

/** What is painted: [rows, columns], the range of its colours, and what these values are. */
export interface ShownMap extends MapSize {
  readonly values: Float32Array;
  readonly range: ValueRange;
  readonly colorMap: ColorMap;
  /** `positive part`, `magnitude` or `signed`, and where the colours end before the values do. */
  readonly note: string;
}

/** What `strength` stands for: pixels are looked at by magnitude, layers and covered windows by what speaks for the target. */
export const isLookedAtByMagnitude = (method: AttributionMethod): boolean =>
  ATTRIBUTION_FACTS[method].of === 'input' && ATTRIBUTION_FACTS[method].family === 'gradient';

/**
 * The part of a map that is to be seen. Rectified maps go from their smallest to their largest value (`norm` in the literature), magnitudes
 * from zero, signed ones are centred on zero in diverging colours whatever colours were chosen. Colours of gradients of pixels end at
 * the 99.5th percentile.
 */
export function shownMap(
  result: Pick<ExplainResult, 'method' | 'rows' | 'columns' | 'map' | 'magnitude'>,
  part: ShownPart,
  colors: string,
): ShownMap {
  const { method, rows, columns, map, magnitude } = result;
  const fine = isLookedAtByMagnitude(method);
  if (part === 'signed') {
    const reach = fine ? percentile(map, TOLD_APART) : extent(map).reach;
    const range = rangeFor('diverging', { low: -reach, high: reach });
    return {
      rows,
      columns,
      values: map,
      range,
      colorMap: 'diverging',
      note: noted('signed', fine),
    };
  }
  if (part === 'strength' && fine) {
    const values = magnitude ?? map.map(Math.abs);
    const measured = { low: 0, high: percentile(values, TOLD_APART) };
    const colorMap = resolveColorMap(colors, measured);
    const range = rangeFor(colorMap, measured);
    return { rows, columns, values, range, colorMap, note: noted('magnitude', true) };
  }
  const values = map.map(value => (value < 0 ? 0 : value));
  const { low, high } = extent(values);
  const measured = { low, high: fine ? percentile(values, TOLD_APART) : high };
  const colorMap = resolveColorMap(colors, measured);
  const range = rangeFor(colorMap, measured);
  return { rows, columns, values, range, colorMap, note: noted('positive part', fine) };
}

const noted = (what: string, clipped: boolean): string =>
  clipped ? `${what}, colours to the 99.5th percentile` : what;

/** Smallest, largest, and largest magnitude of the numbers; NaN is left out, nothing at all gives zeros. */
function extent(values: Float32Array): ValueRange & { readonly reach: number } {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const value of values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low > high) return { low: 0, high: 0, reach: 0 };
  return { low, high, reach: Math.max(Math.abs(low), Math.abs(high)) };
}

/** The magnitude that this share of the magnitudes does not exceed, to a 4096th of the largest. */
export function percentile(values: Float32Array, share: number): number {
  const { reach } = extent(values);
  if (!(reach > 0) || !Number.isFinite(reach)) return reach;
  const counts = new Uint32Array(BINS);
  let known = 0;
  for (const value of values) {
    if (Number.isNaN(value)) continue;
    const bin = Math.min(BINS - 1, Math.floor((Math.abs(value) / reach) * BINS));
    counts[bin] = (counts[bin] ?? 0) + 1;
    known++;
  }
  let seen = 0;
  for (let bin = 0; bin < BINS; bin++) {
    seen += counts[bin] ?? 0;
    if (seen >= share * known) return ((bin + 1) / BINS) * reach;
  }
  return reach;
}

/** `7×7, upsampled ×32`; sides that are stretched differently are both told, a map of the pixels is not upsampled. */
export function gridText({
  rows,
  columns,
  geometry,
}: Pick<ExplainResult, 'rows' | 'columns' | 'geometry'>): string {
  const size = `${rows}×${columns}`;
  if (!geometry) return size;
  const [down, across] = [geometry.fed.height / rows, geometry.fed.width / columns];
  if (down === 1 && across === 1) return size;
  const factors = Math.abs(down - across) < 1e-9 ? [across] : [down, across];
  return `${size}, upsampled ×${factors.map(formatNumber).join('×')}`;
}
