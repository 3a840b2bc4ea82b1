// Checks the derivatives of single operators on the models of ONNX's own node tests: `node scripts/benchOperators.mjs [NAME ...]`. Prints the
// share that is right and what is not, and writes artifacts/operators.json. The models come from
// `python test/bench/operators/makeModels.py`.
import path from 'node:path';
import { artifacts, main, root, run } from './project.mjs';
import { ensureDependencies } from './setUp.mjs';

await main(async () => {
  await ensureDependencies();
  const { build } = await import('esbuild');
  const outfile = path.join(artifacts, 'bench', 'operators.cjs');
  await build({
    absWorkingDir: root,
    entryPoints: ['test/bench/operators/main.ts'],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20.19',
    external: ['onnxruntime-node'],
    logLevel: 'warning',
  });
  const models = path.join(root, 'test/generated/nodeTests');
  const results = path.join(artifacts, 'operators.json');
  const { status } = await run(
    process.execPath,
    [outfile, models, results, ...process.argv.slice(2)],
    { echo: true },
  );
  return status ?? 1;
});
