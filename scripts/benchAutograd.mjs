// Compares the gradients of the engine with those of autograd: `node scripts/benchAutograd.mjs [NAME ...]`. Prints a line for each model and
// writes artifacts/autograd.json. The models come from `python test/bench/gradients/makeModels.py`.
import path from 'node:path';
import { bundleBench } from './bundleBench.mjs';
import { artifacts, main, root, run } from './project.mjs';
import { ensureBuild, ensureDependencies } from './setUp.mjs';

await main(async () => {
  await ensureDependencies();
  await ensureBuild();
  const outfile = await bundleBench('test/bench/gradients/autograd.ts', 'autograd.cjs');
  const engine = path.join(root, 'dist', 'engine.js');
  const models = path.join(root, 'test/generated/gradients');
  const results = path.join(artifacts, 'autograd.json');
  const names = process.argv.slice(2);
  const { status } = await run(process.execPath, [outfile, engine, models, results, ...names], {
    echo: true,
  });
  return status ?? 1;
});
