import { statSync } from 'node:fs';
import { UserError } from '../../../protocol/errors';
import { openFileSource } from '../files/fileSource';
import { readTokenTexts, type TokenTexts } from '../text/tokenTexts';
import { baseName } from './openModels';

/** Larger files are no tokenizers. */
const MOST_BYTES = 64 * 2 ** 20;
/** Tokenizers that are kept. */
const MOST_KEPT = 2;

/** The tokenizers that were read last. */
export class Tokenizers {
  private readonly kept = new Map<string, TokenTexts>();

  /** Throws `tooLarge`, `badArray`, and what reading a file throws. */
  read(path: string): TokenTexts {
    const stat = statSync(path, { throwIfNoEntry: false });
    const key = `${path}\n${stat?.size}\n${stat?.mtimeMs}`;
    const texts = this.kept.get(key) ?? readFile(path);
    this.kept.delete(key);
    this.kept.set(key, texts);
    for (const old of [...this.kept.keys()].slice(0, -MOST_KEPT)) this.kept.delete(old);
    return texts;
  }
}

function readFile(path: string): TokenTexts {
  const source = openFileSource(path);
  try {
    if (source.size > MOST_BYTES)
      throw new UserError('tooLarge', `${baseName(path)} is too large to be a tokenizer (64 MB).`);
    const content = new TextDecoder().decode(source.read(0, source.size));
    return readTokenTexts(baseName(path), content);
  } finally {
    source.dispose();
  }
}
