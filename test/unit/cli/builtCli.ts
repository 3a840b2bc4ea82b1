import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';

const root = path.resolve(import.meta.dirname, '../../..');
/** Programs that lie side by side in dist. */
const ENTRIES = {
  cli: 'server/src/cli/main.ts',
  engine: 'server/src/engine/main.ts',
  engineWatchdog: 'server/src/engine/watchdog.ts',
};

/** What a finished command line left behind. */
export interface Outcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The command line as it ships, built for the tests. */
export interface BuiltCli {
  readonly enginePath: string;
  /** A folder for what the tests write; gone after them. */
  readonly folder: string;
  run(words: readonly string[], options?: { readonly interruptAfterMs?: number }): Promise<Outcome>;
  dispose(): void;
}

/** Bundles command line and engine into a folder inside the repository, so that the runtime's package is found. */
export async function buildCli(): Promise<BuiltCli> {
  const parent = path.join(root, 'test/generated');
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(path.join(parent, 'cli-'));
  await build({
    absWorkingDir: root,
    bundle: true,
    entryPoints: ENTRIES,
    outdir: folder,
    platform: 'node',
    format: 'cjs',
    target: 'node20.19',
    external: ['onnxruntime-node'],
    logLevel: 'error',
  });
  return {
    enginePath: path.join(folder, 'engine.js'),
    folder,
    run: (words, options) => runCli(path.join(folder, 'cli.js'), words, options?.interruptAfterMs),
    dispose: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function runCli(
  file: string,
  words: readonly string[],
  interruptAfterMs: number | undefined,
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [file, ...words], { stdio: ['ignore', 'pipe', 'pipe'] });
    const [out, err]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => err.push(chunk));
    const timer =
      interruptAfterMs === undefined
        ? undefined
        : setTimeout(() => child.kill('SIGINT'), interruptAfterMs);
    child.on('error', reject);
    child.on('close', status => {
      clearTimeout(timer);
      const text = (chunks: Buffer[]): string => Buffer.concat(chunks).toString('utf8');
      resolve({ status, stdout: text(out), stderr: text(err) });
    });
  });
}
