import type { ColorMap, ValueRange } from '../../../protocol/colorMaps';
import type { FeatureMapsResult } from '../../../protocol/methods';
import { baseName, counted, formatMs, formatNumber, formatShape } from '../lib/format';
import type { Cell, MapSize } from '../lib/geometry';
import type { Rectangle } from '../lib/gridLayout';
import { rangeFor, resolveColorMap } from '../lib/heat';
import { Latest } from '../lib/latest';
import type { Overlay } from '../lib/picture';
import type { Theme } from '../lib/theme';
import { drawBar } from './bars';
import {
  CAPTION_HEIGHT,
  mapStatistic,
  sharedRange,
  shownLabel,
  sortChannels,
  tilePicture,
  type Statistic,
} from './model';
import type { Probe } from './probe';
import { MapTiles } from './mapTiles';
import { drawCaption, drawCross, drawPlaceholder } from './tiles';
import type { DetailsSection } from './detailsSection';
import type { ChannelSource, ExactChannel, Scale, ViewerContext } from './types';

const TILE = { width: 96, height: 96 + CAPTION_HEIGHT };
/** Wide maps have low tiles, but none lower than this part of the width. */
const LEAST_FLATNESS = 0.25;
const BAR = { width: 22, height: 128 };

/** What a run gave for a layer: a tile for each channel, or a bar for each number of a vector. */
export class MapsSource implements ChannelSource {
  readonly filterViews = null;
  private result: FeatureMapsResult | null = null;
  /** The numbers of a vector; null for maps. */
  private vector: Float32Array | null = null;
  private all: ValueRange = { low: 0, high: 0 };
  private readonly tiles: MapTiles;
  private readonly exactChannels = new Map<number, Float32Array>();
  private readonly run = new Latest();
  private sorted: { readonly key: string; readonly order: readonly number[] } | null = null;

  constructor(private readonly context: ViewerContext) {
    this.tiles = new MapTiles(context, TILE.width, () => this.params());
    context
      .track(
        this.run.run(signal => this.load(signal)),
        () => this.run.cancel(),
      )
      .then(() => context.changed())
      .catch((error: unknown) => context.failed(error));
  }

  get count(): number {
    if (this.result?.layout === 'vector') return this.vector?.length ?? 0;
    return this.result?.channels ?? 0;
  }

  get tile(): { readonly width: number; readonly height: number } {
    if (this.vector) return BAR;
    const { rows = 1, columns = 1 } = this.result ?? {};
    const flatness = Math.min(Math.max(rows / Math.max(columns, 1), LEAST_FLATNESS), 1);
    return { width: TILE.width, height: TILE.width * flatness + CAPTION_HEIGHT };
  }

  get mapSize(): MapSize | null {
    const { result } = this;
    if (!result || result.layout === 'vector' || result.layout === 'sequence') return null;
    return { rows: result.rows, columns: result.columns };
  }

  get isVector(): boolean {
    return this.vector !== null;
  }

  order(): readonly number[] {
    const { sort } = this.context.shown().state;
    const key = `${sort} ${this.count}`;
    if (this.sorted?.key !== key)
      this.sorted = {
        key,
        order: sortChannels(this.count, sort, channel => this.statistic(channel)),
      };
    return this.sorted.order;
  }

  request(channels: readonly number[]): void {
    if (this.result && !this.vector) this.tiles.want(channels);
  }

  draw(
    context: CanvasRenderingContext2D,
    channel: number,
    tile: Rectangle,
    theme: Theme,
    probe: Probe | null,
  ): boolean {
    if (this.vector) {
      drawBar(context, tile, theme, this.vector[channel] ?? 0, this.all, String(channel));
      return true;
    }
    const value = probe ? probe.values.get(channel) : this.statistic(channel).mean;
    drawCaption(
      context,
      tile,
      theme,
      String(channel),
      value === undefined ? '' : formatNumber(value),
    );
    const data = this.tiles.get(channel);
    if (!data || !this.result) {
      drawPlaceholder(context, tile, theme);
      return false;
    }
    const at = tilePicture(tile, this.result.rows, this.result.columns);
    context.imageSmoothingEnabled = at.width < data.columns;
    const range = this.scale(channel).range ?? data.range;
    const picture = this.tiles.picture(data, this.colorMap, range);
    context.drawImage(picture, at.x, at.y, at.width, at.height);
    if (probe && this.mapSize)
      drawCross(
        context,
        theme,
        at.x + ((probe.cell.column + 0.5) / this.result.columns) * at.width,
        at.y + ((probe.cell.row + 0.5) / this.result.rows) * at.height,
      );
    return true;
  }

  cellAt(tile: Rectangle, x: number, y: number): Cell | null {
    const size = this.mapSize;
    if (!size) return null;
    const at = tilePicture(tile, size.rows, size.columns);
    const [row, column] = [(y - at.y) / at.height, (x - at.x) / at.width];
    if (row < 0 || row >= 1 || column < 0 || column >= 1) return null;
    return { row: Math.floor(row * size.rows), column: Math.floor(column * size.columns) };
  }

  describe(channel: number): string {
    if (this.vector)
      return `${this.elementName(channel)}, ${formatNumber(this.vector[channel] ?? Number.NaN)}`;
    const { mean, maximum } = this.statistic(channel);
    const rank = this.context.shown().state.sort;
    const place = this.order().indexOf(channel) + 1;
    const order = rank === 'index' ? '' : `, number ${place} of ${this.count} by ${rank}`;
    return `channel ${channel}, mean ${formatNumber(mean)}, maximum ${formatNumber(maximum)}${order}`;
  }

  scale(channel: number | null): Scale {
    const { colorMap } = this;
    if (!this.result || this.vector) return { colorMap, range: null, note: '' };
    if (this.context.shown().state.scale === 'shared')
      return {
        colorMap,
        range: rangeFor(colorMap, this.all),
        note: `shared by all ${this.count} maps`,
      };
    if (channel === null) return { colorMap, range: null, note: 'of each map' };
    return {
      colorMap,
      range: this.range(channel, colorMap),
      note: `own scale of channel ${channel}`,
    };
  }

  statement(channel: number | null): string {
    const { result } = this;
    const { situation, state } = this.context.shown();
    if (!result) return '';
    const of = `of ${shownLabel(situation)} on ${state.input === null ? 'default input' : baseName(state.input)}`;
    if (this.vector)
      return `${counted(this.count, 'value')} ${of} · ${formatNumber(this.all.low)} to ${formatNumber(this.all.high)} · ${formatMs(result.times.totalMs)}`;
    const size = `${result.rows}×${result.columns}`;
    return [
      channel === null
        ? `${counted(this.count, 'feature map')} ${size} ${of}`
        : `Channel ${channel} ${of}, ${size}`,
      ...(result.layout === 'tokens' ? ['tokens on their grid'] : []),
      ...(channel !== null && result.geometry && this.mapSize
        ? [
            `overlay upsampled ×${formatNumber(result.geometry.fed.width / result.columns)}, bilinear`,
          ]
        : []),
      state.scale === 'own' ? 'each on its own scale' : 'one shared scale',
      formatMs(result.times.totalMs),
    ].join(' · ');
  }

  overlay(channel: number): Overlay | null {
    const size = this.mapSize;
    if (!size || !this.result?.geometry) return null;
    const { colorMap } = this;
    const { range } = this.scale(channel);
    if (!range) return null;
    const exact = this.exactChannels.get(channel);
    if (exact) return { ...size, values: exact, range, colorMap };
    const tile = this.tiles.get(channel);
    if (!tile) return null;
    const span = tile.range.high - tile.range.low;
    const values = Float32Array.from(tile.steps, step => tile.range.low + (step / 255) * span);
    return { rows: tile.rows, columns: tile.columns, values, range, colorMap };
  }

  async exact(channel: number, signal: AbortSignal): Promise<ExactChannel> {
    const size = { rows: this.result?.rows ?? 1, columns: this.result?.columns ?? 1 };
    const known = this.exactChannels.get(channel);
    if (known) return { ...size, planes: 1, values: known };
    const result = await this.context.host.api.call(
      'channel',
      { ...this.params(), channel },
      { signal },
    );
    this.exactChannels.clear();
    this.exactChannels.set(channel, result.values);
    return { rows: result.rows, columns: result.columns, planes: 1, values: result.values };
  }

  details(): readonly DetailsSection[] {
    const { result } = this;
    if (!result) return [];
    return [
      {
        title: 'Feature maps',
        rows: [
          ['Tensor', result.tensor],
          ['Shape', `${result.dtype} ${formatShape(result.shape)}`],
          ['Read as', `${result.layout}: ${result.channels} × ${result.rows}×${result.columns}`],
          ...(result.prefixTokens > 0
            ? [['Tokens before the grid', String(result.prefixTokens)] as const]
            : []),
          ['Values', `${formatNumber(this.all.low)} to ${formatNumber(this.all.high)}`],
          ['Load', formatMs(result.times.loadMs)],
          ['Run', formatMs(result.times.forwardMs)],
          ['In all', formatMs(result.times.totalMs)],
          ...result.notes.map(note => ['Note', note] as const),
          ...result.warnings.map(warning => ['Warning', warning] as const),
        ],
      },
    ];
  }

  record(): unknown {
    if (!this.result) return null;
    const { statistics, ...rest } = this.result;
    return { ...rest, range: this.all, statistics: Array.from(statistics) };
  }

  dispose(): void {
    this.run.cancel();
    this.tiles.dispose();
  }

  private params() {
    const { state } = this.context.shown();
    return { model: state.model, layer: state.layer, input: state.input };
  }

  private async load(signal: AbortSignal): Promise<void> {
    const { api } = this.context.host;
    const result = await api.call('featureMaps', this.params(), { signal });
    if (result.layout === 'vector') {
      const { values } = await api.call('channel', { ...this.params(), channel: 0 }, { signal });
      this.vector = values;
    }
    this.result = result;
    this.all = sharedRange(this.count, channel => this.statistic(channel));
  }

  private statistic(channel: number): Statistic {
    const value = this.vector?.[channel];
    if (value !== undefined) return { minimum: value, maximum: value, mean: value, variance: 0 };
    return mapStatistic(this.result?.statistics ?? new Float32Array(), channel);
  }

  private get colorMap(): ColorMap {
    return resolveColorMap(this.context.shown().state.colorMap, this.all);
  }

  private elementName(index: number): string {
    const { labels } = this.context.shown().situation;
    const label = labels?.length === this.count ? labels[index] : undefined;
    return label === undefined ? `value ${index}` : `value ${index}, ${label}`;
  }

  private range(channel: number, colorMap: ColorMap): ValueRange {
    const { minimum, maximum } = this.statistic(channel);
    return rangeFor(colorMap, { low: minimum, high: maximum });
  }
}
