import { stat } from 'node:fs/promises';
import path from 'node:path';
import { toWireError, UserError, type WireError } from '../../../protocol/errors';
import { Emitter, Owner } from '../../../protocol/lifecycle';
import type { DescribedModel } from './describeModel';

export interface ModelChange {
  readonly model: string;
  readonly error: WireError | null;
}

/** A change is looked at when the file has kept its size for this long: an export that is under way is not an error. */
const SETTLE_MS = 250;
/** After this long without becoming whole, the file is reported as it is. */
const PATIENCE_MS = 5_000;
const KEPT_MODELS = 8;

/** Descriptions of opened models, kept while their files stay as they are. Describing reads structure only. */
export class ModelStore extends Owner {
  private readonly described = new Map<string, DescribedModel>();
  private readonly timers = new Map<string, NodeJS.Timeout>();
  private readonly changed = this.register(new Emitter<ModelChange>());
  /** A model that was asked for before changed on disk and is whole again, or cannot be read any more. */
  readonly onChanged = this.changed.event;

  constructor(private readonly open: (path: string) => Promise<DescribedModel>) {
    super();
    this.register({ dispose: () => this.timers.forEach(timer => clearTimeout(timer)) });
  }

  /** The model as it is on disk now. Throws a UserError that names the file. */
  async describe(modelPath: string): Promise<DescribedModel> {
    const kept = this.described.get(modelPath);
    if (kept && (await isCurrent(kept))) return kept;
    const fresh = await this.open(modelPath);
    this.described.delete(modelPath);
    this.described.set(modelPath, fresh);
    for (const oldest of this.described.keys()) {
      if (this.described.size <= KEPT_MODELS) break;
      this.described.delete(oldest);
    }
    return fresh;
  }

  /** Tells of a created, changed or deleted file: a model, its external data, or a file beside it that says how to feed it. */
  fileEvent(file: string): void {
    for (const [model, described] of this.described)
      if (model === file || described.files.some(used => used.path === file))
        this.watch(model, Date.now());
  }

  /** A file that may say how models of its folder (or of its folder's `onnx` folder) are fed changed. */
  sidecarEvent(file: string): void {
    const folder = path.dirname(file);
    for (const model of [...this.described.keys()])
      if ([path.dirname(model), path.dirname(path.dirname(model))].includes(folder))
        this.forgetModel(model);
  }

  /** Reads a model anew at the next request, and says so. */
  forgetModel(model: string): void {
    if (this.described.delete(model)) this.changed.fire({ model, error: null });
  }

  forgetAll(): void {
    for (const model of [...this.described.keys()]) this.forgetModel(model);
  }

  private watch(model: string, since: number): void {
    clearTimeout(this.timers.get(model));
    this.timers.set(
      model,
      setTimeout(() => void this.check(model, since), SETTLE_MS),
    );
  }

  private async check(model: string, since: number): Promise<void> {
    this.timers.delete(model);
    const before = await sizeOf(model);
    await new Promise(resolve => setTimeout(resolve, SETTLE_MS));
    if (before !== (await sizeOf(model))) return this.watch(model, since);
    try {
      this.described.delete(model);
      await this.describe(model);
      this.changed.fire({ model, error: null });
    } catch (error) {
      const mayBeGrowing =
        error instanceof UserError && ['brokenModel', 'missingExternalData'].includes(error.code);
      if (mayBeGrowing && Date.now() - since < PATIENCE_MS) return this.watch(model, since);
      this.changed.fire({ model, error: toWireError(error) });
    }
  }
}

const sizeOf = async (file: string): Promise<number> => {
  try {
    return (await stat(file)).size;
  } catch {
    return -1;
  }
};

async function isCurrent(model: DescribedModel): Promise<boolean> {
  const states = await Promise.all(
    model.files.map(async file => {
      try {
        const now = await stat(file.path);
        return now.size === file.size && now.mtimeMs === file.modifiedMs;
      } catch {
        return false;
      }
    }),
  );
  return states.every(Boolean);
}
