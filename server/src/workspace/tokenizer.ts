import { opendir } from 'node:fs/promises';
import path from 'node:path';

/** Entries of a folder that are looked at. */
const MAXIMUM_ENTRIES = 5000;
const TOKENIZER = /^(.*?)[-_.]?(tokenizer\.json|vocab\.txt)$/i;

/**
 * The tokenizer that lies with a model: `tokenizer.json` or `vocab.txt` in its folder or the one above, or one that is named after the model
 * (`bert_tokenizer.json` beside `bert_small.onnx`). Absolute path; null where there is none.
 */
export async function findTokenizer(modelPath: string): Promise<string | null> {
  const folder = path.dirname(path.resolve(modelPath));
  const model = path.basename(modelPath).toLowerCase();
  for (const each of [folder, path.dirname(folder)]) {
    const found = (await tokenizersIn(each)).filter(({ of }) => model.startsWith(of));
    // the longest name is the model's own; of two without one, tokenizer.json knows more
    const [best] = found.sort((a, b) => b.of.length - a.of.length || a.name.localeCompare(b.name));
    if (best) return path.join(each, best.name);
  }
  return null;
}

interface TokenizerFile {
  readonly name: string;
  /** What its name begins with, in lower case. */
  readonly of: string;
}

async function tokenizersIn(folder: string): Promise<TokenizerFile[]> {
  const directory = await opendir(folder).catch(() => null);
  const found: TokenizerFile[] = [];
  if (!directory) return found;
  let seen = 0;
  for await (const entry of directory) {
    if (++seen > MAXIMUM_ENTRIES) break;
    const match = entry.isFile() ? TOKENIZER.exec(entry.name) : null;
    if (match) found.push({ name: entry.name, of: (match[1] ?? '').toLowerCase() });
  }
  return found;
}
