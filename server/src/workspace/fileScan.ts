import { opendir } from 'node:fs/promises';
import path from 'node:path';

const SKIPPED = new Set([
  'node_modules',
  '.git',
  '.hg',
  '.svn',
  '__pycache__',
  '.venv',
  'venv',
  'env',
  '.tox',
  '.mypy_cache',
  '.pytest_cache',
  'site-packages',
  '.cache',
]);
const MAXIMUM_FOLDERS = 20_000;

/**
 * Files below a folder that a test accepts, nearest folders first. Symbolic links are not followed, tool folders are left out, and the walk
 * ends after 20,000 folders, `limit` files, or when the signal says so; what cannot be read is passed over.
 */
export async function scanFiles(
  root: string,
  accepts: (name: string) => boolean,
  limit: number,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const found: string[] = [];
  const queue = [root];
  for (
    let visited = 0;
    visited < queue.length && visited < MAXIMUM_FOLDERS && found.length < limit;
    visited++
  ) {
    if (signal.aborted) break;
    const folder = queue[visited] ?? root;
    try {
      for await (const entry of await opendir(folder)) {
        if (entry.isDirectory() && !SKIPPED.has(entry.name))
          queue.push(path.join(folder, entry.name));
        else if (entry.isFile() && accepts(entry.name)) found.push(path.join(folder, entry.name));
      }
    } catch {
      continue;
    }
  }
  return found.slice(0, limit).sort();
}
