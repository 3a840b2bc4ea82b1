import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ZipEntry } from './zipFile';
import { readZip } from './zipFile';

const root = path.resolve(import.meta.dirname, '../..');
const target = `${process.platform}-${process.arch}`;
const { name, version }: { name: string; version: string } = JSON.parse(
  readFileSync(path.join(root, 'package.json'), 'utf8'),
);
const vsix = path.join(root, 'artifacts', `${name}-${version}-${target}.vsix`);

/** Where a shipped file may lie; vsce renames readme, changelog and licence. */
const allowed = [
  /^\[Content_Types\]\.xml$/,
  /^extension\.vsixmanifest$/,
  /^extension\/(package\.json|package\.nls\.json|readme\.md|changelog\.md|LICENSE\.txt)$/,
  /^extension\/media\/[\w./-]+\.(svg|png|md)$/,
  /^extension\/l10n\/[\w.-]+\.json$/,
  /^extension\/dist\/ThirdPartyNotices\.txt$/,
  /^extension\/dist\/[\w./-]+\.(js|css|ttf|wasm)$/,
  /^extension\/samples\/shapes\/[\w./-]+\.(py|ipynb|onnx|data|json|txt|md|png|jpg)$/,
  /^extension\/node_modules\/onnxruntime-(node|common)\/package\.json$/,
  /^extension\/node_modules\/onnxruntime-node\/dist\/\w+\.js$/,
  /^extension\/node_modules\/onnxruntime-common\/dist\/cjs\/([\w-]+\.js|package\.json)$/,
];

/** The folder of this machine's runtime; the only one that may ship. */
const runtimeFolder = `extension/node_modules/onnxruntime-node/bin/napi-v6/${process.platform}/${process.arch}/`;
const isRuntime = ({ name }: ZipEntry): boolean => name.includes('/napi-v6/');

const needed = [
  ...['client.js', 'server.js', 'engine.js', 'cli.js', 'ThirdPartyNotices.txt'].map(
    file => `extension/dist/${file}`,
  ),
  ...['package.json', 'readme.md', 'changelog.md', 'LICENSE.txt'].map(file => `extension/${file}`),
  ...['onnxruntime-node/package.json', 'onnxruntime-node/dist/index.js'].map(
    file => `extension/node_modules/${file}`,
  ),
  'extension/node_modules/onnxruntime-common/dist/cjs/index.js',
  `${runtimeFolder}onnxruntime_binding.node`,
];

/** The folders of a person or a machine that build tools and exporters like to write down. */
const machineFolder =
  /(?:\/(?:home|Users|root|tmp|opt|mnt|private|var\/folders)\/[\w.-]+|[A-Z]:\\+Users\\+)/;

describe('the package', () => {
  let entries: ZipEntry[] = [];
  const unpacked = mkdtempSync(path.join(os.tmpdir(), 'layer-lens-'));

  beforeAll(() => {
    if (!existsSync(vsix)) throw new Error('Run "npm run package" first');
    entries = readZip(vsix);
    for (const entry of entries) {
      const file = path.join(unpacked, entry.name);
      mkdirSync(path.dirname(file), { recursive: true });
      writeFileSync(file, entry.read());
    }
  });

  afterAll(() => rmSync(unpacked, { recursive: true, force: true }));

  it('holds what it needs', () => {
    const names = new Set(entries.map(({ name }) => name));
    expect(needed.filter(each => !names.has(each))).toEqual([]);
  });

  it('holds nothing else', () => {
    const others = entries.filter(entry => !isRuntime(entry)).map(({ name }) => name);
    expect(others.filter(each => !allowed.some(pattern => pattern.test(each)))).toEqual([]);
  });

  it('holds every file that the manifest points to', () => {
    const manifest = readFileSync(path.join(unpacked, 'extension', 'package.json'), 'utf8');
    const paths = [...manifest.matchAll(/"((?:\.\/)?(?:media|dist|samples|l10n)\/[^"]+)"/g)];
    expect(paths.length).toBeGreaterThan(0);
    const missing = paths.map(([, file = '']) => file);
    expect(missing.filter(file => !existsSync(path.join(unpacked, 'extension', file)))).toEqual([]);
  });

  it('holds the runtime of this platform only', () => {
    const runtime = entries.filter(isRuntime).map(({ name }) => name);
    expect(runtime.length).toBeGreaterThanOrEqual(2);
    expect(runtime.filter(each => !each.startsWith(runtimeFolder))).toEqual([]);
  });

  if (target === 'linux-x64')
    it('is smaller than 25 MB', () => {
      expect(statSync(vsix).size).toBeLessThan(25_000_000);
    });

  it('holds no path of the machine that built it', () => {
    const folders = [root, os.homedir()].filter(folder => folder.length > 5);
    const tells = (entry: ZipEntry): boolean => {
      const text = entry.read().toString('latin1');
      const isOurs = /^extension\/(samples|media|package\.json|readme|changelog)/.test(entry.name);
      return folders.some(folder => text.includes(folder)) || (isOurs && machineFolder.test(text));
    };
    expect(entries.filter(tells).map(({ name }) => name)).toEqual([]);
  });

  it('names each package whose code it holds', () => {
    const notices = readFileSync(
      path.join(unpacked, 'extension/dist/ThirdPartyNotices.txt'),
      'utf8',
    );
    for (const each of ['onnxruntime-node', 'onnxruntime-common', 'vscode-languageclient'])
      expect(notices).toMatch(new RegExp(`^${each} \\d+\\.\\d+`, 'm'));
  });

  it('loads ONNX Runtime from its own files', () => {
    const script =
      "process.stdout.write(typeof require('onnxruntime-node').InferenceSession.create)";
    const options = { cwd: path.join(unpacked, 'extension'), env: {}, encoding: 'utf8' } as const;
    expect(execFileSync(process.execPath, ['-e', script], options)).toBe('function');
  });

  it('runs its command line from its own files', () => {
    const extension = path.join(unpacked, 'extension');
    const model = path.join('samples', 'shapes', 'models', 'shapes_cnn.onnx');
    const args = [path.join('dist', 'cli.js'), 'inspect', model, '--json'];
    const output = execFileSync(process.execPath, args, {
      cwd: extension,
      env: {},
      encoding: 'utf8',
    });
    const { layers }: { layers: unknown[] } = JSON.parse(output);
    expect(layers.length).toBeGreaterThan(0);
  });
});
