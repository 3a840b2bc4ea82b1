import { DisposableStore, type Disposable } from '../../../protocol/lifecycle';
import type { ViewerState } from '../../../protocol/views';
import type { Announce } from '../lib/announce';
import { element } from '../lib/dom';
import { formatNumber } from '../lib/format';
import { cellAtFed, cellCentre, moveCell, type Cell, type Point } from '../lib/geometry';
import { TileGrid } from '../lib/grid';
import type { Rectangle } from '../lib/gridLayout';
import type { Host } from '../lib/host';
import { InputPicture } from '../lib/picture';
import type { Theme } from '../lib/theme';
import { ExactStage } from './exactStage';
import { ProbeFollower } from './probe';
import type { Sources } from './sources';
import type { ChannelSource, Shown } from './types';

/** Most channels whose values are asked for at a probed place. */
const MOST_PROBED = 400;

export interface StageOptions {
  readonly host: Host<ViewerState>;
  readonly sources: () => Sources;
  readonly announce: Announce;
  shown(): Shown | null;
  patch(patch: Partial<ViewerState>): void;
  /** What the frame says of the channel or the place changed. */
  onFacts(): void;
  track<T>(work: Promise<T>, stop: () => void): Promise<T>;
  onFailed(error: unknown): void;
}

/** Picture, grid and enlarged channel, and the place that is marked in all of them. */
export class Stage implements Disposable {
  readonly picture = new InputPicture();
  readonly content: HTMLElement;
  private readonly grid = new TileGrid({
    label: 'Channels',
    draw: (context, position, tile, theme) => this.draw(context, position, tile, theme),
    describe: position => this.source?.describe(this.channelAt(position)) ?? '',
    onSelect: position => this.select(this.channelAt(position)),
    onOpen: position => this.open(this.channelAt(position)),
    onHover: at => this.hoverGrid(at),
    onVisible: () => this.onVisible(),
    onPainted: () => this.onPainted(),
  });
  private readonly exact: ExactStage;
  readonly probe = new ProbeFollower(
    cell => this.askProbe(cell),
    () => this.onProbe(),
  );
  private readonly store = new DisposableStore();
  private laidOut: { readonly source: ChannelSource | null; readonly sort: string } | null = null;
  /** A picked place that is announced when its value is there. */
  private unspoken: Cell | null = null;
  private hovered: number | null = null;
  private drawn = 0;
  private scrollTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly options: StageOptions) {
    this.exact = new ExactStage({
      host: options.host,
      announce: options.announce,
      track: options.track,
      onFailed: options.onFailed,
      onHover: cell => this.hoverCell(cell, null),
      onPick: cell => this.pick(cell),
      onPainted: () => this.markShown(1),
      onNumbers: () => {
        this.exact.setMark(this.probe.cell);
        this.showOverlay();
        this.options.onFacts();
      },
    });
    this.content = element(
      'div',
      { class: 'content' },
      this.grid.root,
      this.exact.root,
      this.exact.recomputed,
    );
    for (const part of [this.picture, this.grid, this.exact]) this.store.add(part);
    this.store.add(this.picture.onHover(point => this.hoverPicture(point)));
  }

  get isEnlarged(): boolean {
    const { state } = this.options.shown() ?? {};
    return state?.enlarged === true && state.channel !== null && this.source?.isVector !== true;
  }

  /** The channel that readout and bar speak of: under the pointer, else the selected one. */
  get channel(): number | null {
    return this.hovered ?? this.options.shown()?.state.channel ?? null;
  }

  /** Whether "Recompute this position" can be asked. */
  get canRecompute(): boolean {
    const { situation, state } = this.options.shown() ?? {};
    return (
      state?.tab === 'maps' &&
      situation?.layer?.kind === 'conv' &&
      this.isEnlarged &&
      this.probe.pick !== null
    );
  }

  /** Numbers or state changed: everything is laid out and drawn as they say. */
  refresh(): void {
    const { source } = this;
    const { state } = this.options.shown() ?? {};
    if (!state) return;
    const { isEnlarged } = this;
    this.grid.root.hidden = isEnlarged || !source;
    this.exact.root.hidden = !isEnlarged;
    this.grid.setItems(source?.count ?? 0, source?.tile.width ?? 1, source?.tile.height ?? 1);
    const position = state.channel === null ? -1 : (source?.order().indexOf(state.channel) ?? -1);
    const before = this.laidOut;
    this.laidOut = { source, sort: state.sort };
    if (before?.source !== source) this.probe.clear();
    if (source && (before?.source !== source || before.sort !== state.sort))
      this.grid.scrollTo(state.scrollTop);
    this.grid.select(position < 0 ? null : position, false);
    if (isEnlarged && state.channel !== null && source) this.exact.show(source, state.channel);
    else this.exact.clear();
    this.picture.setOpacity(state.opacity);
    this.showOverlay();
  }

  select(channel: number): void {
    this.options.patch({ channel });
    this.options.announce(this.source?.describe(channel) ?? '');
  }

  open(channel: number): void {
    if (this.source?.isVector) return this.select(channel);
    this.options.patch({ channel, enlarged: true });
    this.exact.focus();
    this.options.announce(`Enlarged ${this.source?.describe(channel) ?? ''}`);
  }

  /** Back to the grid; without an enlarged channel, forgets the marked place. */
  back(): void {
    if (!this.isEnlarged) return this.probe.choose(null);
    this.options.patch({ enlarged: false });
    this.grid.root.focus();
    this.options.announce(`All ${this.source?.count ?? 0} channels`);
  }

  /** The channel before or after the enlarged one, in the order of the grid. */
  neighbour(direction: -1 | 1): void {
    const order = this.source?.order() ?? [];
    const at = order.indexOf(this.options.shown()?.state.channel ?? -1);
    const channel = order[at + direction];
    if (at >= 0 && channel !== undefined) this.select(channel);
  }

  /** Moves the marked place by an arrow key; true where there are places to mark. */
  moveProbe(key: string): boolean {
    const size = this.source?.mapSize;
    if (!size) return false;
    const middle = { row: size.rows >> 1, column: size.columns >> 1 };
    const cell = this.probe.cell ? moveCell(size, this.probe.cell, key) : middle;
    if (!cell) return false;
    this.pick(cell);
    return true;
  }

  /** Window × kernel beside the value of the run, for the enlarged channel at the picked place. */
  recompute(): void {
    const { state } = this.options.shown() ?? {};
    const { pick } = this.probe;
    if (!state || state.channel === null || !pick) return;
    const { model, layer, input, channel } = state;
    this.exact.recompute({ model, layer, input, channel, ...pick });
  }

  dispose(): void {
    clearTimeout(this.scrollTimer);
    this.store.dispose();
  }

  private get source(): ChannelSource | null {
    return this.options.sources().current;
  }

  private channelAt(position: number): number {
    return this.source?.order()[position] ?? 0;
  }

  private draw(
    context: CanvasRenderingContext2D,
    position: number,
    tile: Rectangle,
    theme: Theme,
  ): void {
    const probe = this.source?.mapSize ? this.probe.state : null;
    if (this.source?.draw(context, this.channelAt(position), tile, theme, probe)) this.drawn++;
  }

  private onPainted(): void {
    this.markShown(this.drawn);
    this.drawn = 0;
  }

  /** For tests: which layer and tab the canvas shows, and how many channels are drawn. */
  private markShown(drawn: number): void {
    const shown = this.options.sources().currentShown;
    if (shown) document.body.dataset['shown'] = `${shown.state.layer}|${shown.state.tab}|${drawn}`;
  }

  private onVisible(): void {
    const { source } = this;
    if (!source) return;
    const { first, end } = this.grid.visible(1);
    source.request(source.order().slice(first, end));
    this.probe.refresh();
    clearTimeout(this.scrollTimer);
    this.scrollTimer = setTimeout(() => {
      const { state } = this.options.shown() ?? {};
      if (state && !this.isEnlarged && source.count > 0 && state.scrollTop !== this.grid.scrollTop)
        this.options.patch({ scrollTop: this.grid.scrollTop });
    }, 250);
  }

  private showOverlay(): void {
    const { channel, tab } = this.options.shown()?.state ?? {};
    const known = typeof channel === 'number' && tab === 'maps' ? channel : null;
    this.picture.setOverlay(known === null ? null : (this.source?.overlay(known) ?? null));
  }

  private pick(cell: Cell): void {
    this.unspoken = cell;
    this.probe.choose(cell);
    this.options.onFacts();
  }

  private speakPick(): void {
    const cell = this.unspoken;
    const channel = this.options.shown()?.state.channel ?? null;
    if (!cell || this.probe.state?.values.size === 0) return;
    this.unspoken = null;
    const value = channel === null ? null : this.valueAt(channel, cell);
    const words = value === null ? '' : `, ${formatNumber(value)}`;
    this.options.announce(`row ${cell.row}, column ${cell.column}${words}`);
  }

  /** The value of a channel at a place, as far as it is known here. */
  valueAt(channel: number, cell: Cell): number | null {
    const probed = this.probe.state?.values.get(channel);
    if (probed !== undefined) return probed;
    return this.isEnlarged && channel === this.options.shown()?.state.channel
      ? this.exact.valueAt(cell)
      : null;
  }

  private hoverPicture(point: Point | null): void {
    const size = this.source?.mapSize;
    this.hoverCell(point && size ? cellAtFed(this.picture.fedSize, size, point) : null, null);
  }

  private hoverGrid(
    at: { readonly position: number; readonly x: number; readonly y: number } | null,
  ): void {
    const { source } = this;
    if (!at || !source) return this.hoverCell(null, null);
    const tile = { x: 0, y: 0, ...source.tile };
    this.hoverCell(source.cellAt(tile, at.x, at.y), this.channelAt(at.position));
  }

  private hoverCell(cell: Cell | null, channel: number | null): void {
    const other = channel !== this.hovered;
    this.hovered = channel;
    this.probe.hover(this.source?.mapSize ? cell : null);
    if (other) this.options.onFacts();
  }

  private askProbe(cell: Cell) {
    const { source } = this;
    const shown = this.options.sources().currentShown;
    if (!source?.mapSize || !shown) return null;
    const { first, end } = this.grid.visible();
    const selected = this.options.shown()?.state.channel ?? null;
    const visible = this.isEnlarged
      ? []
      : source.order().slice(first, Math.min(end, first + MOST_PROBED));
    const channels =
      selected === null || visible.includes(selected) ? visible : [...visible, selected];
    const { model, layer, input } = shown.state;
    return this.options.host.api
      .call('probe', { model, layer, input, ...cell, channels }, { priority: 'interactive' })
      .then(result => ({ ...result, channels }));
  }

  private onProbe(): void {
    const { cell, state } = this.probe;
    const size = this.source?.mapSize;
    this.picture.setMarks(
      cell && size
        ? { point: cellCentre(this.picture.fedSize, size, cell), field: state?.field ?? null }
        : null,
    );
    this.exact.setMark(cell);
    this.grid.repaint();
    this.speakPick();
    this.options.onFacts();
  }
}
