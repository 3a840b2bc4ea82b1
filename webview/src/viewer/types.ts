import type { Disposable } from '../../../protocol/lifecycle';
import type { ViewerSituation, ViewerState } from '../../../protocol/views';
import type { Cell, MapSize } from '../lib/geometry';
import type { Rectangle } from '../lib/gridLayout';
import type { ColorMap, ValueRange } from '../../../protocol/colorMaps';
import type { Host } from '../lib/host';
import type { Overlay } from '../lib/picture';
import type { Theme } from '../lib/theme';
import type { DetailsSection } from './detailsSection';
import type { Probe } from './probe';

/** What the page is showing: the host's situation with the page's own state in it. */
export interface Shown {
  readonly situation: ViewerSituation;
  readonly state: ViewerState;
}

/** What both tabs work with. */
export interface ViewerContext {
  readonly host: Host<ViewerState>;
  shown(): Shown;
  /** Something that a tab shows changed: data arrived, or it became another one. */
  changed(): void;
  /** Shows the busy bar over the work; errors end in the line above the picture. */
  track<T>(work: Promise<T>, stop: () => void): Promise<T>;
  failed(error: unknown): void;
}

/** Colour map, range and words of the value bar. */
export interface Scale {
  readonly colorMap: ColorMap | 'rgb';
  readonly range: ValueRange | null;
  readonly note: string;
}

/** One channel in full: [planes, rows, columns], exactly as stored or as the run gave it. */
export interface ExactChannel extends MapSize {
  readonly planes: 1 | 3;
  readonly values: Float32Array;
}

/** What a tab gives to the frame that both share. Channels are filters in one tab, maps in the other. */
export interface ChannelSource extends Disposable {
  /** How many channels there are; 0 until that is known. */
  readonly count: number;
  /** CSS pixels of a tile, caption included. */
  readonly tile: { readonly width: number; readonly height: number };
  /** Ways to look at filters, the chosen one, and how many input channels there are; null for maps. */
  readonly filterViews: {
    readonly all: readonly string[];
    readonly chosen: string;
    readonly slices: number;
  } | null;
  /** Rows and columns of a channel where positions mean something. */
  readonly mapSize: MapSize | null;
  /** The tiles are the numbers of one vector: there is nothing to enlarge, and `exact` knows channel 0 only. */
  readonly isVector: boolean;
  /** Channels in the order of the state. */
  order(): readonly number[];
  /** Asks for what is needed for these channels, once. */
  request(channels: readonly number[]): void;
  /** Draws a tile; false where its data are still to come. */
  draw(
    context: CanvasRenderingContext2D,
    channel: number,
    tile: Rectangle,
    theme: Theme,
    probe: Probe | null,
  ): boolean;
  /** The cell of a tile under a point of the tile. */
  cellAt(tile: Rectangle, x: number, y: number): Cell | null;
  describe(channel: number): string;
  scale(channel: number | null): Scale;
  statement(channel: number | null): string;
  overlay(channel: number): Overlay | null;
  exact(channel: number, signal: AbortSignal): Promise<ExactChannel>;
  details(): readonly DetailsSection[];
  /** Everything known of the result, for "Copy as JSON"; without the numbers themselves. */
  record(): unknown;
}
