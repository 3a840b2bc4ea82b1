import { CancelledError, UserError } from '../../../protocol/errors';
import type { Disposable } from '../../../protocol/lifecycle';
import type { ViewerState, ViewerTab } from '../../../protocol/views';
import type { Host } from '../lib/host';
import { FiltersSource } from './filters';
import { MapsSource } from './maps';
import { dataKey } from './model';
import type { ChannelSource, Shown, ViewerContext } from './types';

export interface SourcesOptions {
  readonly host: Host<ViewerState>;
  /** Null before the first situation. */
  live(): Shown | null;
  track<T>(work: Promise<T>, stop: () => void): Promise<T>;
  /** New numbers of the source that is shown, or another source is shown. */
  onChanged(): void;
  /** `lost` is true where there is nothing of this tab to go on showing. */
  onFailed(error: unknown, lost: boolean): void;
}

interface Entry {
  readonly key: string;
  readonly tab: ViewerTab;
  readonly shown: Shown;
  readonly source: ChannelSource;
  /** Its first numbers could not be had. */
  failed: boolean;
}

/**
 * The numbers behind the page: for each tab the last that came whole, and what is being loaded. What is shown changes only when the
 * next is there, so that an error or a long run never empties the page.
 */
export class Sources implements Disposable {
  private readonly ready = new Map<ViewerTab, Entry>();
  private loading: Entry | null = null;

  constructor(private readonly options: SourcesOptions) {}

  /** What is to be drawn for the present tab. */
  get current(): ChannelSource | null {
    return this.entry?.source ?? null;
  }

  /** Layer and input that `current` belongs to: what the words on the page have to speak of. */
  get currentShown(): Shown | null {
    return this.entry?.shown ?? null;
  }

  /** What was asked for last could not be had; it is not asked for again by itself. */
  get hasFailed(): boolean {
    return this.loading?.failed === true;
  }

  /** Sees to it that the numbers of the present state are there or on their way. */
  sync(): void {
    const shown = this.options.live();
    if (!shown) return;
    const key = dataKey(shown.situation, shown.state);
    if (this.loading && this.loading.key !== key) this.endLoading();
    if (this.entry?.key !== key && !this.loading) this.load(key, shown);
  }

  /** Drops what is on its way and begins again. */
  retry(): void {
    this.endLoading();
    this.sync();
  }

  dispose(): void {
    this.endLoading();
    for (const { source } of this.ready.values()) source.dispose();
    this.ready.clear();
  }

  /** What came whole for the present tab. */
  private get entry(): Entry | undefined {
    const shown = this.options.live();
    return shown ? this.ready.get(shown.state.tab) : undefined;
  }

  private load(key: string, shown: Shown): void {
    const { tab } = shown.state;
    const context: ViewerContext = {
      host: this.options.host,
      shown: () => this.withLiveChoices(shown),
      track: this.options.track,
      changed: () => this.changed(entry),
      failed: error => this.failed(entry, error),
    };
    const source = tab === 'filters' ? new FiltersSource(context) : new MapsSource(context);
    const entry: Entry = { key, tab, shown, source, failed: false };
    this.loading = entry;
  }

  /** What a person chooses about the look holds for old numbers too. */
  private withLiveChoices(shown: Shown): Shown {
    const { sort, scale, colorMap } = this.options.live()?.state ?? shown.state;
    return { ...shown, state: { ...shown.state, sort, scale, colorMap } };
  }

  private changed(entry: Entry): void {
    if (this.loading === entry) {
      this.loading = null;
      this.ready.get(entry.tab)?.source.dispose();
      this.ready.set(entry.tab, entry);
    }
    if (this.ready.get(entry.tab) === entry) this.options.onChanged();
  }

  private failed(entry: Entry, error: unknown): void {
    const current = this.loading === entry || this.ready.get(entry.tab) === entry;
    if (!current || entry.tab !== this.options.live()?.state.tab) return;
    const stopped = error instanceof CancelledError;
    if (this.loading === entry) {
      entry.failed = true;
      const shown = stopped ? new UserError('cancelled', 'Stopped.') : error;
      this.options.onFailed(shown, !this.ready.has(entry.tab) || hasNone(error));
    } else if (!stopped) this.options.onFailed(error, false);
  }

  private endLoading(): void {
    const entry = this.loading;
    this.loading = null;
    entry?.source.dispose();
  }
}

/** The layer has nothing of this kind: numbers of another layer would be misleading. */
const hasNone = (error: unknown): boolean =>
  error instanceof UserError && (error.code === 'noWeights' || error.code === 'unsupported');
