// Measures listing, extraction, the language server and the real VS Code: `node scripts/bench.mjs [--json] [--core]`. Prints a table (or the
// JSON) and writes artifacts/bench.json. `--core` leaves out VS Code.
import path from 'node:path';
import { bundleEndToEnd } from './bundleTests.mjs';
import { ensureChromium } from './chromium.mjs';
import { ensurePackage } from './package.mjs';
import { artifacts, main, mustRun, root } from './project.mjs';
import { ensureBuild, ensureDependencies } from './setUp.mjs';
import { ensureVsCodeServer } from './vscodeServer.mjs';

const models = path.join(root, 'test/generated/bench');
const inArtifacts = name => path.join(artifacts, 'bench', name);

const bundle = async (entry, format, outfile) => {
  const { build } = await import('esbuild');
  await build({
    ...{
      absWorkingDir: root,
      entryPoints: [entry],
      outfile,
      bundle: true,
      platform: 'node',
      format,
    },
    ...{ target: 'node20.19', external: ['onnxruntime-node'], logLevel: 'warning' },
    // The protocol packages of the language server are CommonJS and require modules of Node.
    banner:
      format === 'esm'
        ? {
            js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);",
          }
        : {},
  });
  return outfile;
};

const node = (what, args, options) => mustRun(what, process.execPath, args, options);

await main(async () => {
  const asJson = process.argv.includes('--json');
  await ensureDependencies();
  await ensureBuild();
  const core = await bundle('test/bench/main.ts', 'cjs', inArtifacts('main.cjs'));
  await node('writing the models', [core, 'models', models]);
  const server = await bundle('test/bench/server.ts', 'esm', inArtifacts('server.mjs'));
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
