import { colorTable, type ColorMap, type ValueRange } from '../../../protocol/colorMaps';
import type { FiltersParams, FiltersResult, FilterView } from '../../../protocol/methods';
import { pixelCanvas } from '../lib/dom';
import { counted, formatNumber, formatShape } from '../lib/format';
import type { Cell } from '../lib/geometry';
import type { Rectangle } from '../lib/gridLayout';
import { colorPixels, resolveColorMap, valuePixels } from '../lib/heat';
import { Latest } from '../lib/latest';
import type { Theme } from '../lib/theme';
import {
  BLOCK,
  CAPTION_HEIGHT,
  filterRange,
  filterStatistic,
  largestMagnitude,
  missingBlock,
  shownLabel,
  sortChannels,
  tilePicture,
  type Statistic,
} from './model';
import { drawCaption, drawPlaceholder } from './tiles';
import type { DetailsSection } from './detailsSection';
import type { ChannelSource, ExactChannel, Scale, ViewerContext } from './types';

const TILE = 72;
/** Most weights that one request brings, as float32 numbers. */
const MOST_NUMBERS = 1 << 19;

/** The weights of a layer, one tile for each filter. */
export class FiltersSource implements ChannelSource {
  readonly tile = { width: TILE, height: TILE + CAPTION_HEIGHT };
  readonly mapSize = null;
  readonly isVector = false;
  private result: FiltersResult | null = null;
  private readonly tiles = new Map<number, Float32Array>();
  private readonly pictures = new Map<number, { key: string; canvas: HTMLCanvasElement }>();
  private readonly latest = new Latest();
  private wanted: readonly number[] = [];
  private sorted: { readonly key: string; readonly order: readonly number[] } | null = null;

  constructor(private readonly context: ViewerContext) {
    this.fetch({ first: 0, count: BLOCK });
  }

  get count(): number {
    return this.result?.filters ?? 0;
  }

  get filterViews() {
    const { result } = this;
    return result && { all: result.views, chosen: result.view, slices: result.slices };
  }

  order(): readonly number[] {
    const { sort } = this.context.shown().state;
    const key = `${sort} ${this.count}`;
    if (this.sorted?.key !== key)
      this.sorted = {
        key,
        order: sortChannels(this.count, sort, filter => this.statistic(filter)),
      };
    return this.sorted.order;
  }

  request(filters: readonly number[]): void {
    this.wanted = filters;
    this.fetchMissing();
  }

  draw(context: CanvasRenderingContext2D, filter: number, tile: Rectangle, theme: Theme): boolean {
    const { result } = this;
    const values = this.tiles.get(filter);
    drawCaption(context, tile, theme, String(filter), formatNumber(this.statistic(filter).mean));
    if (!result || !values) {
      drawPlaceholder(context, tile, theme);
      return false;
    }
    const at = tilePicture(tile, result.rows, result.columns);
    context.imageSmoothingEnabled = at.width < result.columns;
    context.drawImage(this.picture(filter, values, result), at.x, at.y, at.width, at.height);
    return true;
  }

  cellAt(): Cell | null {
    return null;
  }

  describe(filter: number): string {
    const { mean, minimum, maximum } = this.statistic(filter);
    return `filter ${filter} of ${this.count}, mean ${formatNumber(mean)}, from ${formatNumber(minimum)} to ${formatNumber(maximum)}`;
  }

  scale(filter: number | null): Scale {
    const { result } = this;
    const { state } = this.context.shown();
    if (!result) return { colorMap: 'grey', range: null, note: '' };
    const own = state.scale === 'own' && !isSingle(result);
    if (own && filter === null)
      return { colorMap: this.colorMap(result), range: null, note: 'each filter, symmetric' };
    return {
      colorMap: this.colorMap(result),
      range: this.range(result, filter),
      note: own ? `own scale of filter ${filter ?? 0}` : `shared by all ${result.filters} filters`,
    };
  }

  statement(filter: number | null): string {
    const { result } = this;
    const { situation, state } = this.context.shown();
    if (!result) return '';
    const what =
      filter === null
        ? `${counted(result.filters, 'filter')} ${result.rows}×${result.columns}`
        : `Filter ${filter}, ${result.rows}×${result.columns},`;
    return [
      `${what} of ${shownLabel(situation)}`,
      VIEW_WORDS[result.view](result),
      isSingle(result)
        ? 'one shared scale, for each has one value'
        : state.scale === 'own'
          ? 'each on its own scale'
          : 'one shared scale',
      `${result.dtype} ${formatShape(result.shape)}`,
    ].join(' · ');
  }

  overlay(): null {
    return null;
  }

  async exact(filter: number, signal: AbortSignal): Promise<ExactChannel> {
    const size = { rows: this.result?.rows ?? 1, columns: this.result?.columns ?? 1 };
    const planes = this.result?.planes ?? 1;
    const known = this.tiles.get(filter);
    if (known) return { ...size, planes, values: known };
    const part = await this.call({ first: filter, count: 1 }, signal);
    return { rows: part.rows, columns: part.columns, planes: part.planes, values: part.values };
  }

  details(): readonly DetailsSection[] {
    const { result } = this;
    if (!result) return [];
    const { geometry } = result;
    return [
      {
        title: 'Filters',
        rows: [
          ['Weight tensor', result.tensor],
          ['Stored as', `${result.dtype} ${formatShape(result.shape)}`],
          ['View', VIEW_WORDS[result.view](result)],
          ['Largest magnitude', formatNumber(result.sharedMaximum)],
          ...(geometry
            ? ([
                ['Kernel', geometry.kernel.join('×')],
                ['Stride', geometry.strides.join('×')],
                ['Padding', geometry.pads.join(', ')],
                ['Dilation', geometry.dilations.join('×')],
                ['Groups', String(geometry.groups)],
              ] as const)
            : []),
          ...result.notes.map(note => ['Note', note] as const),
        ],
      },
    ];
  }

  record(): unknown {
    if (!this.result) return null;
    const { values, statistics, ...rest } = this.result;
    return { ...rest, statistics: Array.from(statistics), tileNumbers: values.length };
  }

  dispose(): void {
    this.latest.cancel();
  }

  private statistic(filter: number): Statistic {
    return filterStatistic(this.result?.statistics ?? new Float32Array(), filter);
  }

  private colorMap(result: FiltersResult): ColorMap | 'rgb' {
    if (result.planes === 3) return 'rgb';
    return resolveColorMap(
      this.context.shown().state.colorMap,
      filterRange(result.view, result.sharedMaximum),
    );
  }

  private range(result: FiltersResult, filter: number | null): ValueRange {
    const own = filter === null ? undefined : this.tiles.get(filter);
    const shared = this.context.shown().state.scale === 'shared' || isSingle(result) || !own;
    return filterRange(result.view, shared ? result.sharedMaximum : largestMagnitude(own));
  }

  /** A filter in its colours, one pixel for each weight. */
  private picture(filter: number, values: Float32Array, result: FiltersResult): HTMLCanvasElement {
    const colorMap = this.colorMap(result);
    const key = `${colorMap} ${this.context.shown().state.scale}`;
    const known = this.pictures.get(filter);
    if (known?.key === key) return known.canvas;
    const range = this.range(result, filter);
    const pixels =
      colorMap === 'rgb'
        ? colorPixels(values, range.high)
        : valuePixels(values, colorTable(colorMap), range);
    const canvas = pixelCanvas(new ImageData(pixels, result.columns));
    this.pictures.set(filter, { key, canvas });
    return canvas;
  }

  private fetchMissing(): void {
    const { result } = this;
    if (!result || this.latest.running) return;
    const size = result.planes * result.rows * result.columns;
    const most = Math.max(BLOCK, Math.floor(MOST_NUMBERS / size));
    const block = missingBlock(this.wanted, filter => this.tiles.has(filter), result.filters, most);
    if (block) this.fetch(block);
  }

  private fetch(block: { readonly first: number; readonly count: number }): void {
    const work = this.latest.run(signal => this.call(block, signal));
    this.context
      .track(work, () => this.latest.cancel())
      .then(result => {
        this.result = { ...result, values: new Float32Array() };
        const size = result.planes * result.rows * result.columns;
        for (let i = 0; i * size < result.values.length; i++)
          this.tiles.set(result.first + i, result.values.subarray(i * size, (i + 1) * size));
        this.context.changed();
        this.fetchMissing();
      })
      .catch((error: unknown) => this.context.failed(error));
  }

  private call(
    block: { readonly first: number; readonly count: number },
    signal: AbortSignal,
  ): Promise<FiltersResult> {
    const { state } = this.context.shown();
    const params: FiltersParams & { readonly input: null } = {
      model: state.model,
      layer: state.layer,
      input: null,
      ...(isView(state.filterView) ? { view: state.filterView } : {}),
      slice: state.slice,
      ...block,
    };
    return this.context.host.api.call('filters', params, { signal });
  }
}

/** Tiles of one number each have nothing to compare on a scale of their own: all would look the same. */
const isSingle = ({ rows, columns, planes }: FiltersResult): boolean =>
  rows * columns * planes === 1;

/** What each view shows, in words. */
const VIEW_WORDS: Readonly<Record<FilterView, (result: FiltersResult) => string>> = {
  rgb: () => 'three input channels as red, green, blue',
  slices: result => `input channel ${result.slice} of ${result.slices}`,
  mean: result => `mean over ${result.slices} input channels`,
  norm: result => `norm over ${result.slices} input channels`,
  component: result => `first principal component over ${result.slices} input channels`,
};

/** Whether a state's word is a view. */
export const isView = (view: string | null): view is FilterView =>
  view !== null && Object.hasOwn(VIEW_WORDS, view);
