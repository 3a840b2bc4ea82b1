// ThirdPartyNotices.txt: the licences of the packages whose code or data is in the VSIX.
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { mustRun, root } from './project.mjs';

/** Packages that ship without passing through the bundler: as they are, as files, as tables made from them. */
const notBundled = [
  'onnxruntime-node',
  'onnxruntime-common',
  '@vscode/codicons',
  'd3-scale-chromatic',
];

/** The folders below node_modules that a development build names as sources in its source maps. */
const bundledPackages = async () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'layer-lens-notices-'));
  try {
    const build = path.join(root, 'scripts', 'build.mjs');
    await mustRun('The build', process.execPath, [build, '--outdir', folder]);
    const names = new Set();
    for (const file of readdirSync(folder, { recursive: true }).filter(name =>
      name.endsWith('.map'),
    ))
      for (const source of JSON.parse(readFileSync(path.join(folder, file), 'utf8')).sources) {
        const found = /node_modules\/((?:.*\/node_modules\/)?(?:@[^/]+\/)?[^/]+)\//.exec(source);
        if (found) names.add(found[1]);
      }
    return [...names];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};

/** Whose copyright it is in packages that have no licence file. */
const holders = {
  'onnxruntime-node': 'Microsoft Corporation',
  'onnxruntime-common': 'Microsoft Corporation',
};

/** The MIT licence for another holder: this project's own has the same terms. */
const mitLicence = ({ name, author }) => {
  const holder = holders[name] ?? author?.name ?? author ?? `the authors of ${name}`;
  const own = readFileSync(path.join(root, 'LICENSE'), 'utf8').trim();
  return own.replace(/^Copyright .*$/m, `Copyright (c) ${holder}`);
};

const withoutFile = manifest => {
  if (manifest.license === 'MIT') return mitLicence(manifest);
  throw new Error(`${manifest.name} (${manifest.license}) has no licence file to pass on.`);
};

const notice = name => {
  const folder = path.join(root, 'node_modules', name);
  const manifest = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
  const files = readdirSync(folder).filter(file => /^(licen[cs]e|notice|copying)/i.test(file));
  const texts = files.map(file => readFileSync(path.join(folder, file), 'utf8').trim());
  const body = texts.length > 0 ? texts.join('\n\n') : withoutFile(manifest);
  return `${manifest.name} ${manifest.version} (${manifest.license})\n\n${body.replaceAll('\r\n', '\n')}\n`;
};

/** Writes dist/ThirdPartyNotices.txt, where the package takes it from. */
export const writeNotices = async () => {
  const names = [...new Set([...(await bundledPackages()), ...notBundled])].sort();
  const rule = `\n${'-'.repeat(80)}\n\n`;
  const heading = 'Layer Lens contains code of these packages, each under its own licence.\n';
  const file = path.join(root, 'dist', 'ThirdPartyNotices.txt');
  writeFileSync(file, [heading, ...names.map(notice)].join(rule));
};
