import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import type { Disposable } from '../../../protocol/lifecycle';

const root = path.resolve(import.meta.dirname, '../../..');

export interface EngineBundle extends Disposable {
  /** The folder of the bundles; ONNX Runtime is found from there. */
  readonly folder: string;
  readonly enginePath: string;
}

/** Bundles this entry as an engine, with the watchdog beside it, in a folder of its own. */
export async function bundleEngine(entry: string): Promise<EngineBundle> {
  const parent = path.join(root, 'test/generated');
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(path.join(parent, 'engine-'));
  await build({
    absWorkingDir: root,
    entryPoints: { engine: entry, engineWatchdog: 'server/src/engine/watchdog.ts' },
    outdir: folder,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20.19',
    external: ['onnxruntime-node'],
    logLevel: 'warning',
  });
  return {
    folder,
    enginePath: path.join(folder, 'engine.js'),
    dispose: () => rmSync(folder, { recursive: true, force: true }),
  };
}
