import { colorTable, type ColorMap, type ValueRange } from '../../../protocol/colorMaps';
import type { Disposable } from '../../../protocol/lifecycle';
import { pixelCanvas } from '../lib/dom';
import type { MapSize } from '../lib/geometry';
import { stepPixels, tileColors } from '../lib/heat';
import { Latest } from '../lib/latest';
import { tilePixels } from './model';
import type { ViewerContext } from './types';

const DEBOUNCE_MS = 40;
const MOST_CACHED_BYTES = 32 << 20;

/** One map as it came: steps 0…255 between the two ends of its range. */
export interface MapTile extends MapSize {
  readonly steps: Uint8Array;
  readonly range: ValueRange;
  picture: { readonly key: string; readonly canvas: HTMLCanvasElement } | null;
}

/** The tiles of a layer's maps: fetched for what is visible, kept up to a number of bytes. */
export class MapTiles implements Disposable {
  private readonly tiles = new Map<number, MapTile>();
  private readonly loading = new Latest();
  private inFlight: readonly number[] = [];
  private wanted: readonly number[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param side CSS pixels of a tile's longer side
   * @param params which layer on which input
   */
  constructor(
    private readonly context: ViewerContext,
    private readonly side: number,
    private readonly params: () => {
      readonly model: string;
      readonly layer: string;
      readonly input: string | null;
    },
  ) {}

  get(channel: number): MapTile | undefined {
    return this.tiles.get(channel);
  }

  /** Says what is visible and what will be soon; asked for when the page has come to rest. */
  want(channels: readonly number[]): void {
    this.wanted = channels;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.fetchMissing(), DEBOUNCE_MS);
  }

  /** A tile in colours, one pixel for each of its numbers. */
  picture(tile: MapTile, colorMap: ColorMap, range: ValueRange): HTMLCanvasElement {
    const key = `${colorMap} ${range.low} ${range.high}`;
    if (tile.picture?.key === key) return tile.picture.canvas;
    const colors = tileColors(colorTable(colorMap), tile.range, range);
    const canvas = pixelCanvas(new ImageData(stepPixels(tile.steps, colors), tile.columns));
    tile.picture = { key, canvas };
    return canvas;
  }

  dispose(): void {
    clearTimeout(this.timer);
    this.loading.cancel();
  }

  /** One request at a time; one that brings nothing of what is wanted now is given up. */
  private fetchMissing(): void {
    const missing = this.wanted.filter(channel => !this.tiles.has(channel));
    if (missing.length === 0) return;
    if (this.loading.running && this.inFlight.some(channel => missing.includes(channel))) return;
    this.inFlight = missing;
    const pixels = tilePixels(this.side, devicePixelRatio);
    const work = this.loading.run(signal =>
      this.context.host.api.call(
        'featureMapTiles',
        { ...this.params(), channels: missing, pixels },
        { signal },
      ),
    );
    this.context
      .track(work, () => this.loading.cancel())
      .then(result => {
        const size = result.rows * result.columns;
        result.channels.forEach((channel, i) => {
          this.tiles.set(channel, {
            rows: result.rows,
            columns: result.columns,
            steps: result.values.subarray(i * size, (i + 1) * size),
            range: { low: result.ranges[2 * i] ?? 0, high: result.ranges[2 * i + 1] ?? 0 },
            picture: null,
          });
        });
        this.forgetOld(size);
        this.context.changed();
        this.fetchMissing();
      })
      .catch((error: unknown) => this.context.failed(error));
  }

  /** Drops the tiles that came first while there are more than the page should hold. */
  private forgetOld(tileBytes: number): void {
    const wanted = new Set(this.wanted);
    // A tile holds its steps and, once painted, four bytes for each.
    const most = Math.max(wanted.size, Math.floor(MOST_CACHED_BYTES / (5 * tileBytes)));
    for (const channel of this.tiles.keys()) {
      if (this.tiles.size <= most) return;
      if (!wanted.has(channel)) this.tiles.delete(channel);
    }
  }
}
