import fs from 'node:fs';
import path from 'node:path';
import { UserError } from '../../../protocol/errors';
import type { Disposable } from '../../../protocol/lifecycle';

/**
 * A folder that is written as a whole: files go to a hidden folder beside it and move into place by `commit`. Disposing before that
 * leaves nothing behind.
 */
export class OutputFolder implements Disposable {
  private readonly target: string;
  private readonly draft: string;

  /** @throws UserError `usage` where the target is a file or its place cannot be written. */
  constructor(folder: string) {
    this.target = path.resolve(folder);
    const stat = statOf(this.target);
    if (stat && !stat.isDirectory())
      throw new UserError('usage', `--out ${folder} is a file; give a folder.`);
    const place = stat ? this.target : existingAncestor(this.target);
    this.draft = writing(folder, () => fs.mkdtempSync(path.join(place, '.layer-lens-')));
  }

  write(name: string, content: Uint8Array | string): void {
    writing(this.target, () => fs.writeFileSync(path.join(this.draft, name), content));
  }

  /** Moves everything into place; files of the same name are replaced, others stay. */
  commit(): void {
    writing(this.target, () => {
      fs.mkdirSync(this.target, { recursive: true });
      for (const name of fs.readdirSync(this.draft))
        fs.renameSync(path.join(this.draft, name), path.join(this.target, name));
    });
    this.dispose();
  }

  dispose(): void {
    fs.rmSync(this.draft, { recursive: true, force: true });
  }
}

/** Writes one file as a whole. @throws UserError `usage` where it cannot be written. */
export function writeWhole(file: string, content: Uint8Array): void {
  const target = path.resolve(file);
  if (statOf(target)?.isDirectory())
    throw new UserError('usage', `--out ${file} is a folder; give the name of a file.`);
  const folder = new OutputFolder(path.dirname(target));
  try {
    folder.write(path.basename(target), content);
    folder.commit();
  } finally {
    folder.dispose();
  }
}

/** What is at a place; undefined where nothing is or can be (below a file). */
function statOf(place: string): fs.Stats | undefined {
  try {
    return fs.statSync(place, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function existingAncestor(folder: string): string {
  const parent = path.dirname(folder);
  const stat = statOf(parent);
  if (stat && !stat.isDirectory())
    throw new UserError('usage', `${parent} is a file; nothing can be written below it.`);
  return stat || parent === folder ? parent : existingAncestor(parent);
}

function writing<T>(target: string, write: () => T): T {
  try {
    return write();
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UserError('usage', `${target} cannot be written: ${reason}.`);
  }
}
