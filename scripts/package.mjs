// Makes the VSIX of one platform: `npm run package [-- --target linux-x64]`.
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { contentHash } from './contentHash.mjs';
import { writeNotices } from './notices.mjs';
import { SetUpError, announce, artifacts, main, manifest, mustRun, root } from './project.mjs';
import { ensureDependencies } from './setUp.mjs';

/** The platforms ONNX Runtime has a binary for, and the files of it that ship. */
const runtimeFiles = {
  'linux-x64': ['linux/x64/*'],
  'linux-arm64': ['linux/arm64/*'],
  // The library lies there twice; the binding is linked to this name.
  'darwin-arm64': ['darwin/arm64/onnxruntime_binding.node', 'darwin/arm64/libonnxruntime.1.dylib'],
  'win32-x64': ['win32/x64/*'],
  'win32-arm64': ['win32/arm64/*'],
};

const assertTarget = target => {
  if (target in runtimeFiles) return;
  throw new SetUpError(
    `ONNX Runtime has no binary for ${target}, so there is no package for it; the targets are ${Object.keys(runtimeFiles).join(', ')}.`,
  );
};

/** Everything the package is made of; what the build writes is a function of it. */
const ingredients = [
  ...['client', 'server', 'webview', 'protocol', 'media', 'l10n', 'samples/shapes'],
  ...['scripts/build.mjs', 'scripts/package.mjs', 'scripts/notices.mjs', '.vscodeignore'],
  ...['package.json', 'package-lock.json', 'package.nls.json', 'tsconfig.json'],
  ...['README.md', 'CHANGELOG.md', 'LICENSE'],
];

const writeIgnoreFile = target => {
  const file = path.join(artifacts, `vscodeignore-${target}`);
  const folder = 'node_modules/onnxruntime-node/bin/napi-v6';
  const runtime = runtimeFiles[target].map(name => `!${folder}/${name}`);
  writeFileSync(
    file,
    [readFileSync(path.join(root, '.vscodeignore'), 'utf8'), ...runtime, ''].join('\n'),
  );
  return file;
};

const pack = async (target, vsix) => {
  const build = path.join(root, 'scripts', 'build.mjs');
  await mustRun('The build', process.execPath, [build, '--production']);
  await writeNotices();
  const unfinished = `${vsix}.partial`;
  await mustRun('Packaging', process.execPath, [
    path.join(root, 'node_modules', '@vscode', 'vsce', 'vsce'),
    'package',
    ...['--target', target, '--ignoreFile', writeIgnoreFile(target), '--out', unfinished],
    ...['--allow-missing-repository', '--no-rewrite-relative-links'],
  ]);
  renameSync(unfinished, vsix);
};

/**
 * The path of the VSIX for a target (default: this machine), made anew when anything in it has
 * changed. Leaves the production build in dist/.
 */
export const ensurePackage = async (target = `${process.platform}-${process.arch}`) => {
  assertTarget(target);
  mkdirSync(artifacts, { recursive: true });
  const { name, version } = manifest();
  const vsix = path.join(artifacts, `${name}-${version}-${target}.vsix`);
  const stamp = `${vsix}.key`;
  const key = contentHash(ingredients);
  if (existsSync(vsix) && existsSync(stamp) && readFileSync(stamp, 'utf8') === key) return vsix;
  rmSync(stamp, { force: true });
  await announce(`Packaging for ${target}`, () => pack(target, vsix));
  writeFileSync(stamp, key);
  return vsix;
};

if (process.argv[1] === fileURLToPath(import.meta.url))
  await main(async () => {
    const { values } = parseArgs({ options: { target: { type: 'string' } } });
    await ensureDependencies();
    console.log(path.relative(process.cwd(), await ensurePackage(values.target)));
  });
