// Checks that attention is found, and right, in models from PyTorch's exporters and ONNX Runtime's optimiser: `node scripts/benchAttention.mjs [NAME ...]`.
// Prints how many are, and writes artifacts/attention.json. The models come from `python test/bench/attention/makeModels.py`.
import path from 'node:path';
import { bundleBench } from './bundleBench.mjs';
import { artifacts, main, root, run } from './project.mjs';
import { ensureDependencies } from './setUp.mjs';

await main(async () => {
  await ensureDependencies();
  const outfile = await bundleBench('test/bench/attention/main.ts', 'attention.cjs');
  const models = path.join(root, 'test/generated/attention');
  const results = path.join(artifacts, 'attention.json');
  const { status } = await run(
    process.execPath,
    [outfile, models, results, ...process.argv.slice(2)],
    { echo: true },
  );
  return status ?? 1;
});
