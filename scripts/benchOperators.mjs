// Checks the derivatives of single operators on the models of ONNX's own node tests: `node scripts/benchOperators.mjs [NAME ...]`. Prints the
// share that is right and what is not, and writes artifacts/operators.json. The models come from
// `python test/bench/operators/makeModels.py`.
import path from 'node:path';
import { bundleBench } from './bundleBench.mjs';
import { artifacts, main, root, run } from './project.mjs';
import { ensureDependencies } from './setUp.mjs';

await main(async () => {
  await ensureDependencies();
  const outfile = await bundleBench('test/bench/operators/main.ts', 'operators.cjs');
  const models = path.join(root, 'test/generated/nodeTests');
  const results = path.join(artifacts, 'operators.json');
  const { status } = await run(
    process.execPath,
    [outfile, models, results, ...process.argv.slice(2)],
    { echo: true },
  );
  return status ?? 1;
});
