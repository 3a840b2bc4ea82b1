import type { ReadElement } from './filterBank';
import { elementIndex, type MapView } from './mapView';
import { summarize } from './statistics';

/** Values that a channel's statistics hold, in this order. */
export const STATISTICS = ['minimum', 'maximum', 'mean', 'variance', 'meanMagnitude'] as const;

/** Element index of each position of channel 0, [rows, columns]; other channels lie `channelStride` further each. */
function positionTable(view: MapView): Int32Array {
  const table = new Int32Array(view.rows * view.columns);
  for (let row = 0; row < view.rows; row++)
    for (let column = 0; column < view.columns; column++)
      table[row * view.columns + column] = elementIndex(view, 0, row, column);
  return table;
}

/** [channels, 5] in the order of {@link STATISTICS}, NaN and infinite values left out, and how many those were. */
export function channelStatistics(
  view: MapView,
  read: ReadElement,
  signal: AbortSignal,
): { readonly statistics: Float32Array; readonly leftOut: number } {
  const positions = positionTable(view);
  const statistics = new Float32Array(view.channels * STATISTICS.length);
  let leftOut = 0;
  for (let channel = 0; channel < view.channels; channel++) {
    signal.throwIfAborted();
    const start = channel * view.channelStride;
    const summary = summarize(positions.length, i => read(start + (positions[i] ?? 0)));
    STATISTICS.forEach((name, i) => {
      statistics[channel * STATISTICS.length + i] = summary[name];
    });
    leftOut += summary.leftOut;
  }
  return { statistics, leftOut };
}

/** One channel, [rows, columns], exactly as the run gave it. */
export function channelValues(view: MapView, read: ReadElement, channel: number): Float32Array {
  const positions = positionTable(view);
  const start = channel * view.channelStride;
  return Float32Array.from(positions, position => read(start + position));
}

/** Size of a map when its longer side has at most `pixels`; never enlarged. */
export function tileSize(view: MapView, pixels: number): { rows: number; columns: number } {
  const factor = Math.max(1, Math.max(view.rows, view.columns) / Math.max(1, Math.floor(pixels)));
  return {
    rows: Math.max(1, Math.round(view.rows / factor)),
    columns: Math.max(1, Math.round(view.columns / factor)),
  };
}

/** Mean magnitude over the channels at each position, [rows, columns]; NaN and infinite values are left out. */
export function meanMagnitudes(
  view: MapView,
  read: ReadElement,
  signal: AbortSignal,
): Float32Array {
  const positions = positionTable(view);
  const sums = new Float64Array(positions.length);
  const counts = new Uint32Array(positions.length);
  for (let channel = 0; channel < view.channels; channel++) {
    signal.throwIfAborted();
    const start = channel * view.channelStride;
    for (let i = 0; i < positions.length; i++) {
      const value = Math.abs(read(start + (positions[i] ?? 0)));
      if (!Number.isFinite(value)) continue;
      sums[i] = (sums[i] ?? 0) + value;
      counts[i] = (counts[i] ?? 0) + 1;
    }
  }
  return Float32Array.from(sums, (sum, i) => (counts[i] ? sum / (counts[i] ?? 1) : 0));
}

/**
 * Writes values as 0…255 between their own minimum and maximum, rounded to nearest, and gives those two. NaN becomes 0, infinities the
 * ends; equal values become 0.
 */
export function quantize(
  values: Float32Array,
  target: Uint8Array,
): readonly [minimum: number, maximum: number] {
  const { minimum, maximum } = summarize(values.length, i => values[i] ?? NaN);
  const factor = maximum > minimum ? 255 / (maximum - minimum) : 0;
  values.forEach((value, i) => {
    const level = (value - minimum) * factor;
    target[i] = Number.isNaN(level) ? 0 : Math.round(Math.min(255, Math.max(0, level)));
  });
  return [minimum, maximum];
}
