import type { Disposable } from '../../../protocol/lifecycle';
import type { ViewerState } from '../../../protocol/views';
import type { Announce } from '../lib/announce';
import { element } from '../lib/dom';
import { formatNumber } from '../lib/format';
import type { Cell } from '../lib/geometry';
import type { Host } from '../lib/host';
import { Latest } from '../lib/latest';
import { EnlargedView, type EnlargedOptions } from './enlarged';
import { recomputePanel } from './recompute';
import type { ChannelSource, ExactChannel } from './types';

export interface ExactOptions extends EnlargedOptions {
  readonly host: Host<ViewerState>;
  readonly announce: Announce;
  track<T>(work: Promise<T>, stop: () => void): Promise<T>;
  /** The exact numbers of a channel are there and shown. */
  onNumbers(): void;
  onFailed(error: unknown): void;
}

/** A position of a channel, on an input. */
export interface Position extends Cell {
  readonly model: string;
  readonly layer: string;
  readonly input: string | null;
  readonly channel: number;
}

/** The enlarged channel with its exact numbers, and the sum behind one of them. */
export class ExactStage implements Disposable {
  readonly root: HTMLElement;
  readonly recomputed = element('div', { class: 'recompute-place' });
  private readonly view: EnlargedView;
  private readonly numbersTask = new Latest();
  private readonly recomputeTask = new Latest();
  private shown: { readonly source: ChannelSource; readonly channel: number } | null = null;
  private numbers: ExactChannel | null = null;

  constructor(private readonly options: ExactOptions) {
    this.view = new EnlargedView(options);
    this.root = this.view.root;
  }

  /** Shows a channel; asks for its numbers once and repaints them when the look changes. */
  show(source: ChannelSource, channel: number): void {
    if (source.count === 0) return;
    if (this.shown?.source === source && this.shown.channel === channel) return this.paint();
    this.clear();
    this.shown = { source, channel };
    this.numbersTask
      .run(signal => source.exact(channel, signal))
      .then(numbers => {
        this.numbers = numbers;
        this.paint();
        this.options.onNumbers();
      })
      .catch((error: unknown) => this.options.onFailed(error));
  }

  clear(): void {
    this.numbersTask.cancel();
    this.recomputeTask.cancel();
    this.shown = null;
    this.numbers = null;
    this.recomputed.replaceChildren();
  }

  setMark(cell: Cell | null): void {
    this.view.setMark(cell);
  }

  /** The exact value of a cell, null while the numbers are on their way. */
  valueAt(cell: Cell): number | null {
    return this.numbers && this.view.valueAt(cell);
  }

  focus(): void {
    this.view.focus();
  }

  /** Window × kernel beside the value of the run. */
  recompute(position: Position): void {
    const { row, column, channel } = position;
    const work = this.recomputeTask.run(signal =>
      this.options.host.api.call('recompute', position, { signal }),
    );
    this.options
      .track(work, () => this.recomputeTask.cancel())
      .then(result => {
        const title = `Channel ${channel} at (${row},${column})`;
        this.recomputed.replaceChildren(recomputePanel(result, title));
        this.options.announce(
          `${title}: sum ${formatNumber(result.sum)}, run ${formatNumber(result.value)}`,
        );
      })
      .catch((error: unknown) => this.options.onFailed(error));
  }

  dispose(): void {
    this.clear();
    this.view.dispose();
  }

  private paint(): void {
    if (!this.shown || !this.numbers) return;
    const { source, channel } = this.shown;
    const label = `${source.describe(channel)}, ${this.numbers.rows} by ${this.numbers.columns}`;
    this.view.show(this.numbers, source.scale(channel), label);
  }
}
