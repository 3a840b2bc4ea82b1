// Times the methods that need gradients against the plain run of six networks: `node scripts/benchGradients.mjs [--json] [NETWORK ...]`. Prints a
// table (or the JSON) and writes artifacts/gradients.json. The networks come from `python test/bench/gradients/makeModels.py`, the times of other
// libraries on this machine, where there are any, from `python test/bench/gradients/peers.py`.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { bundleBench } from './bundleBench.mjs';
import { artifacts, main, root, run } from './project.mjs';
import { ensureDependencies } from './setUp.mjs';

const NETWORKS = [
  'squeezenet1_1',
  'mobilenet_v2',
  'resnet18',
  'resnet50',
  'deit_small',
  'vit_base',
];
const EXPORT = 'torchscript17.onnx';

await main(async () => {
  const words = process.argv.slice(2);
  const named = words.filter(word => !word.startsWith('--'));
  const networks = named.length > 0 ? named : NETWORKS;
  const models = path.join(root, 'test/generated/gradients');
  const missing = networks.filter(name => !existsSync(path.join(models, name, EXPORT)));
  if (missing.length > 0) {
    console.error(
      `${missing.join(', ')} are not there: python test/bench/gradients/makeModels.py makes them (it needs torch, torchvision, timm and onnx).`,
    );
    return 1;
  }
  await ensureDependencies();
  const bench = await bundleBench('test/bench/gradients/speedMain.ts', 'speed.cjs');
  const form = words.includes('--json') ? 'json' : 'table';
  const results = path.join(artifacts, 'gradients.json');
  const { status } = await run(process.execPath, [bench, models, results, form, ...networks], {
    echo: true,
  });
  return status ?? 1;
});
