// A name for the contents of files, for knowing whether something made from them is still current.
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { root } from './project.mjs';

const filesOf = file => {
  const found = statSync(file, { throwIfNoEntry: false });
  if (!found) return [];
  if (found.isFile()) return [file];
  return readdirSync(file, { withFileTypes: true, recursive: true })
    .filter(entry => entry.isFile() && !entry.parentPath.includes('__pycache__'))
    .map(entry => path.join(entry.parentPath, entry.name))
    .sort();
};

/** SHA-256 over the names and contents of files and folders of the checkout; what is absent counts as empty. */
export const contentHash = names => {
  const hash = createHash('sha256');
  for (const file of names.flatMap(name => filesOf(path.join(root, name)))) {
    const content = readFileSync(file);
    hash.update(`${path.relative(root, file)}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
};
