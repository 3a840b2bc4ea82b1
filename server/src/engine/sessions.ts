import { Owner } from '../../../protocol/lifecycle';
import type { Model } from '../onnx/graph';
import type { Tensor } from '../onnx/tensor';

import { ByteCache } from './byteCache';
import { weightBytes, type OpenedModel } from './openModels';
import { openSession, type RuntimeSession } from './runtime';
import { totalBytes } from './tensorBytes';

/** What a session takes beyond its weights: the runtime keeps repacked copies of convolution weights. */
const WEIGHT_FACTOR = 1.5;
const SESSION_BYTES = 4 * 2 ** 20;

export interface SessionRun {
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** 0 where the session was kept from before. */
  readonly loadMs: number;
  readonly forwardMs: number;
}

/**
 * Sessions that give chosen tensors and compute nothing else: the structure with those tensors as its only outputs, weights mapped from the
 * original files. Kept by model state and outputs while they fit the budget (estimated: weights × 1.5, the bytes of the outputs, 4 MB).
 */
export class Sessions extends Owner {
  private readonly kept: ByteCache<RuntimeSession>;

  constructor(
    budget: number,
    private threads: number,
  ) {
    super();
    this.kept = this.register(new ByteCache<RuntimeSession>(budget, session => session.dispose()));
  }

  get count(): number {
    return this.kept.size;
  }
  get bytes(): number {
    return this.kept.bytes;
  }

  /**
   * Runs the part of a model that these outputs need. `feeds` has a tensor for each graph input. Throws what `OpenedModel.requireWeights`,
   * `openSession` and `RuntimeSession.run` throw.
   */
  async run(
    opened: OpenedModel,
    outputs: readonly string[],
    feeds: ReadonlyMap<string, Tensor>,
  ): Promise<SessionRun> {
    const key = `${prefixOf(opened.path)}${opened.fingerprint}\n${JSON.stringify([...outputs].sort())}`;
    const started = performance.now();
    const known = this.kept.get(key);
    const session = known ?? (await this.create(opened, outputs, key));
    const loaded = performance.now();
    const tensors = await session.run(feeds, outputs);
    const ended = performance.now();
    this.kept.resize(key, estimate(opened.model) + totalBytes(tensors));
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

  private async create(
    opened: OpenedModel,
    outputs: readonly string[],
    key: string,
  ): Promise<RuntimeSession> {
    this.forgetOldStates(opened);
    opened.requireWeights();
    const { bytes, folder } = opened.select(outputs);
    const session = await openSession({
      bytes,
      folder,
      label: opened.name,
      threads: this.threads,
    });
    this.kept.set(key, session, estimate(opened.model));
    return session;
  }
}

/** Paths hold no line breaks where keys are told apart by them: the path is quoted. */
const prefixOf = (modelPath: string): string => `${JSON.stringify(modelPath)}\n`;

const estimate = (model: Model): number => weightBytes(model.graph) * WEIGHT_FACTOR + SESSION_BYTES;
