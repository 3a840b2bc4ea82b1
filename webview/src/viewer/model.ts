import { layerLabel } from '../../../protocol/layerFacts';
import type { FilterView, RecomputeResult } from '../../../protocol/methods';
import type { ViewerSituation, ViewerState } from '../../../protocol/views';
import type { Rectangle } from '../lib/gridLayout';
import type { ValueRange } from '../../../protocol/colorMaps';

/** Pure parts of the viewer: order, scales, which blocks to ask for, what to take over from the host. */

/** Height of the line under a tile with its number and a value. */
export const CAPTION_HEIGHT = 16;

/** Columns of the statistics of one channel. */
export interface Statistic {
  readonly minimum: number;
  readonly maximum: number;
  readonly mean: number;
  readonly variance: number;
}

/** Reads a row of FiltersResult.statistics, [filters, 4]: minimum, maximum, mean, standard deviation. */
export function filterStatistic(statistics: Float32Array, filter: number): Statistic {
  const [minimum = 0, maximum = 0, mean = 0, deviation = 0] = statistics.subarray(
    4 * filter,
    4 * filter + 4,
  );
  return { minimum, maximum, mean, variance: deviation * deviation };
}

/** Reads a row of FeatureMapsResult.statistics, [channels, 5]: minimum, maximum, mean, variance, mean magnitude. */
export function mapStatistic(statistics: Float32Array, channel: number): Statistic {
  const [minimum = 0, maximum = 0, mean = 0, variance = 0] = statistics.subarray(
    5 * channel,
    5 * channel + 4,
  );
  return { minimum, maximum, mean, variance };
}

/** Channels by a statistic, strongest first, equal ones by index; NaN goes last. */
export function sortChannels(
  count: number,
  sort: ViewerState['sort'],
  statistic: (channel: number) => Statistic,
): readonly number[] {
  const channels = Array.from({ length: count }, (_, channel) => channel);
  if (sort === 'index') return channels;
  const keys = channels.map(channel => {
    const value = statistic(channel)[sort];
    return Number.isNaN(value) ? Number.NEGATIVE_INFINITY : value;
  });
  return channels.sort((a, b) => (keys[b] ?? 0) - (keys[a] ?? 0) || a - b);
}

/** The range of all channels together. */
export function sharedRange(count: number, statistic: (channel: number) => Statistic): ValueRange {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (let channel = 0; channel < count; channel++) {
    const { minimum, maximum } = statistic(channel);
    if (minimum < low) low = minimum;
    if (maximum > high) high = maximum;
  }
  return low <= high ? { low, high } : { low: 0, high: 0 };
}

/** The range of a filter tile: symmetric about zero, 0 … most for a norm, which has no sign. */
export const filterRange = (view: FilterView, most: number): ValueRange => ({
  low: view === 'norm' ? 0 : -most,
  high: most,
});

/** Largest magnitude. */
export function largestMagnitude(values: ArrayLike<number>): number {
  let most = 0;
  for (let i = 0; i < values.length; i++) most = Math.max(most, Math.abs(values[i] ?? 0));
  return most;
}

/** A run of filters to ask for. */
export interface Block {
  readonly first: number;
  readonly count: number;
}

/** Filters are asked for in blocks of this many. */
export const BLOCK = 64;

/**
 * The next run of blocks that holds filters which are wanted and not there: neighbouring blocks together, up to `most` filters.
 * Null where nothing is missing.
 */
export function missingBlock(
  wanted: readonly number[],
  has: (filter: number) => boolean,
  total: number,
  most: number,
): Block | null {
  const blocks = [
    ...new Set(wanted.filter(filter => !has(filter)).map(filter => Math.floor(filter / BLOCK))),
  ].sort((a, b) => a - b);
  const [start] = blocks;
  if (start === undefined) return null;
  let length = 1;
  while (blocks[length] === start + length && (length + 1) * BLOCK <= most) length++;
  const first = start * BLOCK;
  return { first, count: Math.min(length * BLOCK, total - first) };
}

/** Where the picture of a tile goes: above its caption, in its shape, at most four times as long as wide. */
export function tilePicture(tile: Rectangle, rows: number, columns: number): Rectangle {
  const aspect = Math.min(Math.max(columns / Math.max(rows, 1), 0.25), 4);
  const room = { width: tile.width, height: tile.height - CAPTION_HEIGHT };
  const width = Math.min(room.width, room.height * aspect);
  const height = Math.min(room.height, width / aspect);
  return {
    x: tile.x + (room.width - width) / 2,
    y: tile.y + (room.height - height) / 2,
    width,
    height,
  };
}

/** How many pixels a tile asks for on its longer side: device pixels, in steps, so that a zoom does not ask for everything anew. */
export const tilePixels = (cssPixels: number, ratio: number): number =>
  Math.ceil((cssPixels * ratio) / 32) * 32;

/** Layer, tab and what it shows stay; what belongs to one layer only starts anew. */
export const atLayer = (state: ViewerState, layer: string): ViewerState => ({
  ...state,
  layer,
  channel: null,
  enlarged: false,
  filterView: null,
  slice: 0,
  scrollTop: 0,
});

/** The layer before or after this one, minor ones passed over; null at the ends. */
export function neighbourLayer(
  layers: ViewerSituation['layers'],
  layer: string,
  step: -1 | 1,
): ViewerSituation['layers'][number] | null {
  const from = layers.findIndex(entry => entry.id === layer);
  if (from < 0) return null;
  for (let at = from + step; ; at += step) {
    const entry = layers[at];
    if (!entry) return null;
    if (!entry.isMinor) return entry;
  }
}

/**
 * The page's state after a situation from the host. The host says which model, layer and input; the rest is the page's, but for the
 * first situation and for another model or layer, which come with all they want to show.
 * @param steps layers that the page itself went to and that the host has not answered yet, oldest first
 * @returns null for an answer that later steps have overtaken
 */
export function takeOver(
  own: ViewerState | null,
  host: ViewerState,
  steps: readonly string[],
): { readonly state: ViewerState; readonly steps: readonly string[] } | null {
  if (!own) return { state: host, steps: [] };
  const step = steps.lastIndexOf(host.layer);
  if (host.model === own.model && step >= 0 && step < steps.length - 1) return null;
  if (host.model !== own.model || host.layer !== own.layer) return { state: host, steps: [] };
  return { state: { ...own, input: host.input }, steps: [] };
}

/** What is kept of a tab's data: they are asked for again when one of these changes. */
export function dataKey(situation: ViewerSituation, state: ViewerState): string {
  const common = [state.model, state.layer, situation.revision];
  return JSON.stringify(
    state.tab === 'filters'
      ? [...common, 'filters', state.filterView, state.slice]
      : [...common, 'maps', state.input, situation.mayRun],
  );
}

/** `layer4.1.conv2`, or the id while the layer could not be read. */
export function shownLabel(situation: ViewerSituation): string {
  if (situation.layer) return layerLabel(situation.layer);
  return (
    situation.layers.find(entry => entry.id === situation.state.layer)?.label ??
    situation.state.layer
  );
}

/** A file name from a label: nothing but letters, digits, dot, dash and underscore, at most 80 of them. */
export const fileStem = (label: string): string =>
  label.replace(/[^\p{L}\p{N}._-]+/gu, '_').slice(0, 80) || 'layer';

/** Where a bar begins and ends: fractions of its height from the top; zero is always on the scale. */
export function barSpan(
  value: number,
  range: ValueRange,
): { readonly from: number; readonly to: number; readonly zero: number } {
  const low = Math.min(range.low, 0);
  const high = Math.max(range.high, 0);
  const span = high - low || 1;
  const place = (v: number): number => (high - v) / span;
  const zero = place(0);
  const at = Number.isNaN(value) ? zero : place(value);
  return { from: Math.min(zero, at), to: Math.max(zero, at), zero };
}

/** One input channel's part of a convolution at one position. */
export interface Contribution {
  readonly channel: number;
  readonly window: Float32Array;
  readonly kernel: Float32Array;
  readonly sum: number;
}

/** Window × kernel for each input channel, the largest magnitudes first. */
export function contributions(result: RecomputeResult): readonly Contribution[] {
  const [channels = 0, ...kernel] = result.shape;
  const size = kernel.reduce((product, length) => product * length, 1);
  return Array.from({ length: channels }, (_, channel) => {
    const window = result.window.subarray(channel * size, (channel + 1) * size);
    const weights = result.kernel.subarray(channel * size, (channel + 1) * size);
    const sum = window.reduce((total, value, i) => total + value * (weights[i] ?? 0), 0);
    return { channel, window, kernel: weights, sum };
  }).sort((a, b) => Math.abs(b.sum) - Math.abs(a.sum));
}
