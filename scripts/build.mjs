// Bundles everything that runs: `node scripts/build.mjs [--production] [--outdir DIR]`.
// `--production` minifies, leaves out source maps and starts from an empty folder.
import { chmodSync, copyFileSync, existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const root = path.resolve(import.meta.dirname, '..');
const { values: options } = parseArgs({
  options: {
    production: { type: 'boolean', default: false },
    outdir: { type: 'string', default: 'dist' },
  },
});
const outdir = path.resolve(root, options.outdir);

const common = {
  absWorkingDir: root,
  bundle: true,
  charset: 'utf8',
  legalComments: 'none',
  logLevel: 'warning',
  minify: options.production,
  sourcemap: options.production ? false : 'linked',
};

/** One file for Node: the extension host, the server and its processes, the command line. */
const nodeBundle = (entry, file, extra = {}) => ({
  ...common,
  entryPoints: [entry],
  outfile: path.join(outdir, file),
  platform: 'node',
  format: 'cjs',
  target: 'node20.19',
  // Stack traces in the log and in bug reports keep their names.
  keepNames: options.production,
  ...extra,
});

const bundles = [
  nodeBundle('client/src/extension.ts', 'client.js', { external: ['vscode'] }),
  nodeBundle('server/src/server.ts', 'server.js'),
  nodeBundle('server/src/engine/main.ts', 'engine.js', { external: ['onnxruntime-node'] }),
  nodeBundle('server/src/engine/watchdog.ts', 'engineWatchdog.js'),
  nodeBundle('server/src/cli/main.ts', 'cli.js', { banner: { js: '#!/usr/bin/env node' } }),
  ...webviewBundles(),
];

/** A page for each folder of webview/src but `lib`; its style sheets are collected in a .css of the same name. */
function webviewBundles() {
  const source = path.join(root, 'webview/src');
  const folders = existsSync(source) ? readdirSync(source, { withFileTypes: true }) : [];
  return folders
    .filter(entry => entry.isDirectory() && entry.name !== 'lib')
    .map(({ name }) => ({
      ...common,
      entryPoints: [`webview/src/${name}/index.ts`],
      outfile: path.join(outdir, 'webview', `${name}.js`),
      platform: 'browser',
      format: 'iife',
      target: 'es2022',
      tsconfig: 'webview/tsconfig.json',
    }));
}

function copyCodicons() {
  const source = path.join(root, 'node_modules/@vscode/codicons/dist');
  const target = path.join(outdir, 'webview');
  mkdirSync(target, { recursive: true });
  for (const file of ['codicon.css', 'codicon.ttf']) {
    copyFileSync(path.join(source, file), path.join(target, file));
  }
}

/** The WebP decoder reads its WebAssembly from beside the engine's bundle. */
function copyWebpDecoder() {
  const source = path.join(root, 'node_modules/@jsquash/webp/codec/dec/webp_dec.wasm');
  copyFileSync(source, path.join(outdir, 'webp_dec.wasm'));
}

async function main() {
  const started = performance.now();
  if (options.production) rmSync(outdir, { recursive: true, force: true });
  const present = bundles.filter(bundle => {
    const [entry] = bundle.entryPoints;
    if (existsSync(path.join(root, entry))) return true;
    console.log(`skipped ${path.relative(root, bundle.outfile)}: there is no ${entry}`);
    return false;
  });
  // esbuild prints what is wrong; the other bundles are built all the same.
  const results = await Promise.allSettled(present.map(bundle => build(bundle)));
  const failed = results.filter(({ status }) => status === 'rejected').length;
  copyCodicons();
  copyWebpDecoder();
  const cli = path.join(outdir, 'cli.js');
  if (existsSync(cli)) chmodSync(cli, 0o755);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  if (failed > 0) process.exitCode = 1;
  console.log(
    `built ${present.length - failed} of ${bundles.length} bundles in ${path.relative(root, outdir) || '.'} (${seconds} s)`,
  );
}

await main();
