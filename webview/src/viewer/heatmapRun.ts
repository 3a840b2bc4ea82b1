import type { ExplainResult } from '../../../protocol/attribution';
import { CancelledError, toWireError, type WireError } from '../../../protocol/errors';
import type { Progress } from '../../../protocol/rpc';
import type { ViewParams } from '../../../protocol/server';
import type { ViewerState } from '../../../protocol/views';
import type { Host } from '../lib/host';
import { Latest } from '../lib/latest';

/** Results that are kept, so that going back to a layer, class or method asks for nothing. */
const KEPT_BYTES = 48 << 20;

/** Results by what was asked, the oldest dropped first. */
export class KeptResults {
  private readonly results = new Map<string, ExplainResult>();
  private bytes = 0;

  get(key: string): ExplainResult | undefined {
    return this.results.get(key);
  }

  set(key: string, result: ExplainResult): void {
    this.results.set(key, result);
    this.bytes += bytesOf(result);
    for (const [oldest, old] of this.results) {
      if (this.bytes <= KEPT_BYTES || oldest === key) return;
      this.results.delete(oldest);
      this.bytes -= bytesOf(old);
    }
  }
}

const bytesOf = ({ map, magnitude }: ExplainResult): number =>
  map.byteLength + (magnitude?.byteLength ?? 0);

export interface RunOptions {
  readonly host: Host<ViewerState>;
  readonly kept: KeptResults;
  track<T>(work: Promise<T>, stop: () => void): Promise<T>;
  onProgress(progress: Progress): void;
  onChanged(run: PaneRun): void;
}

/** What a pane asks for. */
export interface Question {
  readonly key: string;
  readonly params: ViewParams<'explain'>;
  /** Takes long: it does not go before what a person waits for. */
  readonly refines: boolean;
}

/**
 * The map of one pane: what came last, whole or so far, and what is on its way. What is shown stays until something newer is there,
 * and after an error or a stop.
 */
export class PaneRun {
  /** What is to be painted, and the question that it answers. */
  result: ExplainResult | null = null;
  answered: Question | null = null;
  error: WireError | null = null;
  /** 0…1 while a result is on its way; null where its length is unknown. */
  fraction: number | null = null;
  /** The result is one so far: the method was stopped, or goes on. */
  isPartial = false;
  isStopped = false;
  private asked: Question | null = null;
  private readonly task = new Latest();

  constructor(private readonly options: RunOptions) {}

  get isRunning(): boolean {
    return this.task.running;
  }

  /** What is shown does not answer what was asked last. */
  get isStale(): boolean {
    return this.result !== null && this.answered?.key !== this.asked?.key;
  }

  /** Asks unless this was asked last, whatever came of it. */
  ask(question: Question): void {
    if (question.key === this.asked?.key) return;
    this.asked = question;
    this.error = null;
    this.isStopped = false;
    this.fraction = null;
    const kept = this.options.kept.get(question.key);
    if (kept) {
      this.task.cancel();
      this.show(kept, question, false);
    } else this.start(question);
  }

  /** Asks again after an error or a stop. */
  retry(): void {
    const question = this.asked;
    this.asked = null;
    if (question) this.ask(question);
  }

  /** Ends what takes long and keeps what there is of it. */
  stop(): void {
    if (!this.isRunning) return;
    this.task.cancel();
    this.isStopped = true;
    this.options.onChanged(this);
  }

  /** Ends what is on its way without a word; the next `ask` begins it again. */
  pause(): void {
    if (!this.isRunning) return;
    this.task.cancel();
    this.asked = null;
  }

  /** For tests: what is painted, and whether it is whole. */
  told(): Readonly<Record<string, unknown>> {
    const state = this.error
      ? 'failed'
      : this.isRunning
        ? 'running'
        : this.isStopped
          ? 'stopped'
          : this.result
            ? 'done'
            : 'empty';
    return {
      method: this.answered?.params.method ?? null,
      target: this.result?.target.classIndex ?? null,
      state,
      partial: this.isPartial,
    };
  }

  dispose(): void {
    this.task.cancel();
  }

  private start(question: Question): void {
    const work = this.task.run(signal =>
      this.options.host.api.call('explain', question.params, {
        signal,
        priority: question.refines ? 'view' : 'interactive',
        onProgress: progress => this.progressed(question, progress),
      }),
    );
    this.options
      .track(work, () => this.stop())
      .then(result => {
        this.options.kept.set(question.key, result);
        if (this.asked === question) this.show(result, question, false);
      })
      .catch((error: unknown) => {
        if (error instanceof CancelledError || this.asked !== question) return;
        this.error = toWireError(error);
        this.options.onChanged(this);
      });
    this.options.onChanged(this);
  }

  private progressed(question: Question, progress: Progress): void {
    if (this.asked !== question || this.isStopped) return;
    this.fraction = progress.fraction;
    this.options.onProgress(progress);
    if (isResult(progress.partial)) this.show(progress.partial, question, true);
    else this.options.onChanged(this);
  }

  private show(result: ExplainResult, question: Question, isPartial: boolean): void {
    this.result = result;
    this.answered = question;
    this.isPartial = isPartial;
    this.error = null;
    this.options.onChanged(this);
  }
}

/** A partial result is of the method's result type; the channel knows it as unknown. */
const isResult = (value: unknown): value is ExplainResult =>
  typeof value === 'object' && value !== null && 'map' in value && 'target' in value;
