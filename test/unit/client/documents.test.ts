import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '../../..');
const read = (file: string): string => readFileSync(path.join(root, file), 'utf8');

describe('docs/lsp-extensions.md', () => {
  const source = read('protocol/server.ts');
  const document = read('docs/lsp-extensions.md');

  it('carries the hash of protocol/server.ts, so that neither changes alone', () => {
    const hash = createHash('sha256').update(source).digest('hex').slice(0, 16);
    expect(document).toContain(`<!-- protocol/server.ts: ${hash} -->`);
  });

  it('names every request and notification', () => {
    const names = [...source.matchAll(/^ {2}'(layerLens\/\w+)':/gm)].map(match => match[1]);
    expect(names.length).toBeGreaterThan(10);
    for (const name of names) expect(document).toContain(`\`${name}\``);
  });
});
