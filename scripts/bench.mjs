// Measures listing and extraction: `node scripts/bench.mjs [--json]`. Prints a table (or the JSON) and writes artifacts/bench.json.
import path from 'node:path';
import { artifacts, root, run } from './project.mjs';

const { build } = await import('esbuild');
const bundle = path.join(artifacts, 'bench/main.cjs');
await build({
  absWorkingDir: root,
  entryPoints: ['test/bench/main.ts'],
  outfile: bundle,
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20.19',
  external: ['onnxruntime-node'],
  logLevel: 'warning',
});
const { status } = await run(
  process.execPath,
  [
    bundle,
    path.join(root, 'test/generated/bench'),
    path.join(artifacts, 'bench.json'),
    ...(process.argv.includes('--json') ? ['json'] : []),
  ],
  { echo: true },
);
process.exitCode = status ?? 1;
