import { statSync } from 'node:fs';
import path from 'node:path';
import { UserError } from '../../../protocol/errors';

/** What a call asks for, as far as crashes are remembered by it. */
export interface CallSubject {
  readonly method: string;
  readonly model: string | null;
  readonly layer: string | null;
}

/** `featureMaps of squeezenet.onnx`, for sentences. */
export function describeSubject({ method, model }: CallSubject): string {
  return model === null ? method : `${method} of ${path.basename(model)}`;
}

/** Reads model and layer out of the parameters of any method. */
export function subjectOf(method: string, params: unknown): CallSubject {
  const read = (key: string): string | null => {
    if (typeof params !== 'object' || params === null) return null;
    const value: unknown = Reflect.get(params, key);
    return typeof value === 'string' ? value : null;
  };
  return { method, model: read('model'), layer: read('layer') };
}

interface Record {
  count: number;
  readonly file: string;
}

/**
 * Which requests ended the engine. A request that did so twice in a row, with the same model file, is refused until the file changes or
 * the memory is cleared: nothing is retried in a loop.
 */
export class CrashMemory {
  private readonly records = new Map<string, Record>();

  /** Notes a crash; true where it is the first of its cause, which is when a person is told. */
  record(subject: CallSubject): boolean {
    const file = fileState(subject.model);
    const known = this.records.get(keyOf(subject));
    if (known?.file === file) {
      known.count++;
      return false;
    }
    this.records.set(keyOf(subject), { count: 1, file });
    return true;
  }

  /** Why this request is not tried again, or null where it may run. */
  refusal(subject: CallSubject): UserError | null {
    const known = this.records.get(keyOf(subject));
    if (!known || known.count < 2 || known.file !== fileState(subject.model)) return null;
    return new UserError(
      'engineCrashed',
      `The engine stopped ${known.count} times while computing ${describeSubject(subject)}, so it is not tried again until the file changes.`,
      { title: 'Try Again', command: 'layerLens.restartEngine' },
    );
  }

  /** The request was answered: its crash was not its own fault. */
  forget(subject: CallSubject): void {
    this.records.delete(keyOf(subject));
  }

  clear(): void {
    this.records.clear();
  }
}

const keyOf = ({ method, model, layer }: CallSubject): string =>
  JSON.stringify([method, model, layer]);

/** Size and time of change; the same text for a file that is not there. */
function fileState(model: string | null): string {
  const stat = model === null ? undefined : statSync(model, { throwIfNoEntry: false });
  return stat ? `${stat.size} ${stat.mtimeMs} ${stat.ino}` : '';
}
