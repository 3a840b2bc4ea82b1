import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { measureSpeed, type SpeedResult } from './speed';

/** What a ratio should not be above, by network and method; `*` for all others. */
const BOUNDS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  'grad-cam': { squeezenet1_1: 1.4, deit_small: 1.15, vit_base: 1.15, '*': 1.25 },
  'another class': { squeezenet1_1: 0.5, deit_small: 0.25, vit_base: 0.25, '*': 0.15 },
  'block outputs': { squeezenet1_1: 4, '*': 2.3 },
  gradient: { squeezenet1_1: 3, mobilenet_v2: 3, '*': 2.2 },
  'integrated-gradients, 50 steps': { '*': 50 },
};
const EXPORT = 'torchscript17.onnx';
const LIKE_GRAD_CAM = ['grad-cam++', 'xgrad-cam', 'layer-cam', 'hires-cam'];

function boundOf({ model, method }: SpeedResult): number | null {
  const bounds = BOUNDS[LIKE_GRAD_CAM.includes(method) ? 'grad-cam' : method];
  return bounds?.[model] ?? bounds?.['*'] ?? null;
}

/** What a library of the same machine took, as `peers.py` wrote it. */
interface PeerResult {
  readonly model: string;
  readonly method: string;
  readonly ms: number;
}

const [, , first = '', second = '', third = '', ...rest] = process.argv;
if (first === 'one') void measureSpeed(second).then(results => answer(results));
else runAll(first, second, third === 'json', rest);

/** A child's result is the last line of its output. */
const answer = (results: readonly SpeedResult[]): void => {
  process.stdout.write(`${JSON.stringify(results)}\n`);
};

function runAll(
  folder: string,
  resultFile: string,
  asJson: boolean,
  models: readonly string[],
): void {
  const results = models.flatMap(model => inProcess(path.join(folder, model, EXPORT)));
  const peers = peersIn(folder);
  const [cpu] = os.cpus();
  const machine = {
    cpu: cpu?.model ?? '',
    cores: os.availableParallelism(),
    node: process.version,
  };
  const rows = results.map(result => ({
    ...result,
    bound: boundOf(result),
    ...versus(result, peers),
  }));
  const document = `${JSON.stringify({ machine, results: rows }, null, 2)}\n`;
  mkdirSync(path.dirname(resultFile), { recursive: true });
  writeFileSync(resultFile, document);
  process.stdout.write(asJson ? document : `${tableOf(rows)}\n`);
}

function inProcess(model: string): readonly SpeedResult[] {
  const child = spawnSync(process.execPath, [__filename, 'one', model], { encoding: 'utf8' });
  if (child.status !== 0) throw new Error(`measuring ${model} failed: ${child.stderr}`);
  return JSON.parse(child.stdout.trim().split('\n').at(-1) ?? '');
}

function peersIn(folder: string): readonly PeerResult[] {
  const file = path.join(folder, 'peers.json');
  if (!existsSync(file)) return [];
  const { results } = JSON.parse(readFileSync(file, 'utf8')) as { results: readonly PeerResult[] };
  return results;
}

function versus(
  { model, method, ms }: SpeedResult,
  peers: readonly PeerResult[],
): { readonly peerMs: number | null; readonly timesFaster: number | null } {
  const peer = peers.find(each => each.model === model && each.method === method);
  return { peerMs: peer?.ms ?? null, timesFaster: peer ? peer.ms / ms : null };
}

type Row = SpeedResult & {
  readonly bound: number | null;
  readonly timesFaster: number | null;
};

function tableOf(rows: readonly Row[]): string {
  const lines = rows.map(({ model, method, ms, ratio, bound, memoryMB, timesFaster }) => [
    model,
    method,
    `${ms.toFixed(1)} ms`,
    ratio.toFixed(2),
    bound === null ? '' : `≤ ${bound}`,
    bound === null ? '' : ratio <= bound ? 'ok' : '✗',
    `${memoryMB.toFixed(0)} MB`,
    timesFaster === null ? '' : `${timesFaster.toFixed(1)}× faster than the peer`,
  ]);
  const head = ['model', 'method', 'time', 'ratio', 'bound', '', 'memory', ''];
  const all = [head, ...lines];
  const widths = head.map((_, column) => Math.max(...all.map(line => line[column]?.length ?? 0)));
  return all
    .map(line =>
      line
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
