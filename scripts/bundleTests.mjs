// Bundles the tests that run outside vitest: the walks through VS Code, and the suite in its extension host.
import { readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { artifacts, root } from './project.mjs';

const common = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  logLevel: 'warning',
  sourcemap: 'inline',
};

const below = folder =>
  readdirSync(path.join(root, folder))
    .filter(name => name.endsWith('.ts'))
    .map(name => `${folder}/${name}`);

const empty = name => {
  const folder = path.join(artifacts, name);
  rmSync(folder, { recursive: true, force: true });
  return folder;
};

/** The path of the runner of all walks. It lies as deep in the checkout as its source, so that it finds scripts/. */
export const bundleEndToEnd = async () => {
  const { build } = await import('esbuild');
  const outdir = empty('endToEnd');
  await build({
    ...common,
    entryPoints: [
      'test/endToEnd/run.ts',
      ...below('test/endToEnd/scenarios'),
      ...below('test/endToEnd/measurements'),
    ],
    outbase: 'test/endToEnd',
    outdir,
    format: 'esm',
    splitting: true,
    outExtension: { '.js': '.mjs' },
    external: ['playwright-core', '*.mjs'],
  });
  return path.join(outdir, 'run.mjs');
};

/** The path of the entry that an extension host loads. */
export const bundleExtensionHostSuite = async () => {
  const { build } = await import('esbuild');
  const outdir = empty('electron');
  await build({
    ...common,
    entryPoints: below('test/electron/suite'),
    outbase: 'test/electron',
    outdir,
    format: 'cjs',
    external: ['vscode', 'mocha'],
  });
  return path.join(outdir, 'suite', 'index.js');
};
