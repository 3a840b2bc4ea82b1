import { Owner } from '../../../protocol/lifecycle';
import type { Tensor } from '../onnx/tensor';

import { ByteCache } from './byteCache';
import { weightBytes, type EncodedModel, type Extent, type OpenedModel } from './openModels';
import { openSession, type RuntimeSession } from './runtime';
import { totalBytes } from './tensorBytes';

/** What a session takes at least beside its weights: the runtime keeps repacked copies of them, and the buffers of its last run. */
const WEIGHT_FACTOR = 1.5;
const SESSION_BYTES = 16 * 2 ** 20;
/** Runs of a session after which its buffers have their size: asking the system for the memory of the process takes longer than a small run. */
const MEASURED_RUNS = 3;

interface KeptSession {
  readonly session: RuntimeSession;
  bytes: number;
  runs: number;
}

/** A graph of a model's weights: what it is, what it gives, and how it is written. */
export interface MadeGraph {
  readonly key: string;
  readonly outputs: readonly string[];
  make(): EncodedModel;
}

export interface SessionRun {
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** 0 where the session was kept from before. */
  readonly loadMs: number;
  readonly forwardMs: number;
}

/**
 * Sessions that give chosen tensors: a copy of the structure with those tensors as outputs, weights mapped from the original files. Kept by
 * model state, outputs and extent while they fit the budget: what the process grew by when they were created and run, at
 * least weights × 1.5 and 16 MB.
 */
export class Sessions extends Owner {
  private readonly kept: ByteCache<KeptSession>;

  constructor(
    budget: number,
    private threads: number,
  ) {
    super();
    this.kept = this.register(
      new ByteCache<KeptSession>(budget, ({ session }) => session.dispose()),
    );
  }

  get count(): number {
    return this.kept.size;
  }
  get bytes(): number {
    return this.kept.bytes;
  }

  /**
   * Runs a model, or the part of it that these outputs need. `feeds` has a tensor for each graph input. Throws what `OpenedModel.requireWeights`,
   * `openSession` and `RuntimeSession.run` throw.
   */
  run(
    opened: OpenedModel,
    outputs: readonly string[],
    feeds: ReadonlyMap<string, Tensor>,
    extent: Extent,
  ): Promise<SessionRun> {
    const key = JSON.stringify([extent, ...[...outputs].sort()]);
    return this.runMade(
      opened,
      { key, outputs, make: () => opened.select(outputs, extent) },
      feeds,
    );
  }

  /** Runs a graph that was made of a model's. Throws what `run` throws. */
  async runMade(
    opened: OpenedModel,
    made: MadeGraph,
    feeds: ReadonlyMap<string, Tensor>,
  ): Promise<SessionRun> {
    const key = `${prefixOf(opened.path)}${opened.fingerprint}\n${made.key}`;
    const known = this.kept.get(key);
    const measured = known === undefined || known.runs < MEASURED_RUNS;
    const before = measured ? process.memoryUsage.rss() : 0;
    const started = performance.now();
    const kept = known ?? (await this.create(opened, made, key));
    const loaded = performance.now();
    const tensors = await kept.session.run(feeds, made.outputs);
    const ended = performance.now();
    kept.runs++;
    if (measured) {
      const growth = process.memoryUsage.rss() - before - totalBytes(tensors);
      kept.bytes = known ? kept.bytes + Math.max(0, growth) : Math.max(kept.bytes, growth);
      this.kept.resize(key, kept.bytes);
    }
    return { tensors, loadMs: known ? 0 : loaded - started, forwardMs: ended - loaded };
  }

  configure(budget: number, threads: number): void {
    if (threads !== this.threads) this.kept.deleteWhere(() => true);
    this.threads = threads;
    this.kept.setBudget(budget);
  }

  release(modelPath: string): void {
    this.kept.deleteWhere(key => key.startsWith(prefixOf(modelPath)));
  }

  private forgetOldStates({ path: modelPath, fingerprint }: OpenedModel): void {
    const current = `${prefixOf(modelPath)}${fingerprint}\n`;
    this.kept.deleteWhere(key => key.startsWith(prefixOf(modelPath)) && !key.startsWith(current));
  }

  private async create(opened: OpenedModel, made: MadeGraph, key: string): Promise<KeptSession> {
    this.forgetOldStates(opened);
    opened.requireWeights();
    const { bytes, folder } = made.make();
    const session = await openSession({
      bytes,
      folder,
      label: opened.name,
      threads: this.threads,
    });
    const kept = {
      session,
      bytes: weightBytes(opened.model.graph) * WEIGHT_FACTOR + SESSION_BYTES,
      runs: 0,
    };
    this.kept.set(key, kept, kept.bytes);
    return kept;
  }
}

/** Paths hold no line breaks where keys are told apart by them: the path is quoted. */
const prefixOf = (modelPath: string): string => `${JSON.stringify(modelPath)}\n`;
