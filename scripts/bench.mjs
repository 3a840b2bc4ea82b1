// Measures listing, extraction, the language server and the real VS Code: `node scripts/bench.mjs [--json] [--core]`. Prints a table (or the
// JSON) and writes artifacts/bench.json. `--core` leaves out VS Code.
import path from 'node:path';
import { bundleBench } from './bundleBench.mjs';
import { bundleEndToEnd } from './bundleTests.mjs';
import { ensureChromium } from './chromium.mjs';
import { ensurePackage } from './package.mjs';
import { artifacts, main, mustRun, root } from './project.mjs';
import { ensureBuild, ensureDependencies } from './setUp.mjs';
import { ensureVsCodeServer } from './vscodeServer.mjs';

const models = path.join(root, 'test/generated/bench');
const inArtifacts = name => path.join(artifacts, 'bench', name);

const node = (what, args, options) => mustRun(what, process.execPath, args, options);

await main(async () => {
  const asJson = process.argv.includes('--json');
  await ensureDependencies();
  await ensureBuild();
  const core = await bundleBench('test/bench/main.ts', 'main.cjs');
  await node('writing the models', [core, 'models', models]);
  const server = await bundleBench('test/bench/server.ts', 'server.mjs');
  const others = [inArtifacts('server.json')];
  await node('measuring the server', [server, path.join(models, 'resnet18.onnx'), ...others]);
  if (!process.argv.includes('--core')) {
    await ensureChromium();
    await ensureVsCodeServer();
    const vsix = await ensurePackage();
    const runner = await bundleEndToEnd();
    const results = inArtifacts('steps.json');
    await node('measuring in VS Code', [
      runner,
      '--vsix',
      vsix,
      '--results',
      results,
      '--folder',
      'measurements',
    ]);
    others.push(inArtifacts('window.json'));
  }
  const form = asJson ? 'json' : 'table';
  await node(
    'measuring the core',
    [core, models, path.join(artifacts, 'bench.json'), form, ...others],
    { echo: true },
  );
  return 0;
});
