import { opendir } from 'node:fs/promises';
import path from 'node:path';
import type { ModelDescription } from '../../../protocol/model';
import { scanFiles } from './fileScan';

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

/**
 * A description with the only tokenizer of the workspace, where the model takes token ids and none lies with it. Of several, none is taken: nobody could say
 * whose it is.
 */
export async function withWorkspaceTokenizer(
  description: ModelDescription,
  roots: readonly string[],
  signal: AbortSignal,
): Promise<ModelDescription> {
  const takesIds = description.inputs.some(
    ({ dtype, shape }) => (dtype === 'int64' || dtype === 'int32') && shape?.length === 2,
  );
  if (description.tokenizer !== null || !takesIds) return description;
  const isTokenizer = (name: string): boolean => /^(tokenizer\.json|vocab\.txt)$/i.test(name);
  const scans = roots.map(root => scanFiles(root, isTokenizer, 2, signal));
  const [only = null, ...more] = (await Promise.all(scans)).flat();
  return more.length > 0 ? description : { ...description, tokenizer: only };
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
