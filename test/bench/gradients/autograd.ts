import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { TargetSpec } from '../../../protocol/attribution';
import type { ModelFeeds } from '../../../protocol/methods';
import { EngineHost } from '../../../server/src/engine/engineHost';
import { agreement, mapAgreement } from './agreement';
import { readArray, readCases, type NetworkCase, type TargetCase } from './cases';

/** The relative error may be this, or so many times that of PyTorch in float32. */
const ERROR = 1e-4;
const TIMES_FLOAT32 = 3;
const COSINE = 0.99999;
/** Of Grad-CAM maps, as a share of the map's largest magnitude. */
const MAP_DIFFERENCE = 1e-4;

const SETTINGS = { threads: 2, sessionCacheBytes: 2 ** 29, activationCacheBytes: 2 ** 28 };

/** Usage: autograd ENGINE FOLDER RESULTS [NAME ...]. Exit status 1 where something is missed. */
const [, , enginePath = '', folder = '', results = '', ...names] = process.argv;

/** One compared quantity. */
interface Comparison {
  readonly network: string;
  readonly model: string;
  readonly what: string;
  /** Ours, and that of PyTorch in float32, against PyTorch in float64: relative L2 of gradients, largest difference of maps. */
  readonly error: number;
  readonly float32Error: number;
  /** Null for maps. */
  readonly cosine: number | null;
  /** Images whose map has its highest cell where the reference has it; null for gradients. */
  readonly samePeaks: number | null;
  readonly milliseconds: number;
  readonly passed: boolean;
  /** Why there is no value. */
  readonly failure: string | null;
}

void main();

async function main(): Promise<void> {
  const cases = existsSync(folder) ? readCases(folder, names) : [];
  if (cases.length === 0) {
    process.stderr.write('There are no models: run python test/bench/gradients/makeModels.py.\n');
    process.exitCode = 1;
    return;
  }
  const host = new EngineHost({ enginePath, settings: SETTINGS, memoryLimitBytes: 0 });
  host.onLine(line => process.stderr.write(`${line}\n`));
  const comparisons: Comparison[] = [];
  const keep = (comparison: Comparison): void => {
    comparisons.push(comparison);
    process.stdout.write(`${lineOf(comparison)}\n`);
  };
  try {
    for (const each of cases)
      for (const { file } of each.models) {
        for (const target of each.targets) keep(await compareGradient(host, each, file, target));
        if (each.gradCam) for (const map of await compareMaps(host, each, file)) keep(map);
        await host.call('release', { model: path.join(each.folder, file) });
      }
  } finally {
    host.dispose();
  }
  mkdirSync(path.dirname(results), { recursive: true });
  writeFileSync(results, `${JSON.stringify({ comparisons }, null, 2)}\n`);
  const passed = comparisons.filter(comparison => comparison.passed).length;
  process.stdout.write(`${passed} of ${comparisons.length} passed\n`);
  if (passed < comparisons.length) process.exitCode = 1;
}

async function compareGradient(
  host: EngineHost,
  network: NetworkCase,
  model: string,
  target: TargetCase,
): Promise<Comparison> {
  const wanted = readArray(network.folder, target.float64);
  const single = agreement(readArray(network.folder, target.float32), wanted);
  const started = performance.now();
  const about = { network: network.name, model, what: target.name, samePeaks: null };
  try {
    const { attribution } = await host.call('explain', {
      model: path.join(network.folder, model),
      feeds: feedsOf(network, network.input.file),
      method: 'gradient',
      layers: [],
      target: specOf(network, target),
      want: 'full',
    });
    const ours = agreement(attribution, wanted);
    const allowed = Math.max(ERROR, TIMES_FLOAT32 * single.relativeError);
    return {
      ...about,
      error: ours.relativeError,
      float32Error: single.relativeError,
      cosine: ours.cosine,
      milliseconds: performance.now() - started,
      passed: ours.relativeError <= allowed && ours.cosine >= COSINE,
      failure: null,
    };
  } catch (error) {
    return { ...about, float32Error: single.relativeError, ...failed(error, started) };
  }
}

function specOf({ folder, output }: NetworkCase, { index, weights }: TargetCase): TargetSpec {
  const tensor = output.name;
  if (index) return { kind: 'element', tensor, index };
  return { kind: 'weighted', tensor, weights: path.join(folder, weights ?? '') };
}

/** Grad-CAM of each layer for all images. */
async function compareMaps(
  host: EngineHost,
  network: NetworkCase,
  model: string,
): Promise<readonly Comparison[]> {
  const { inputs, classes, layers } = network.gradCam ?? { inputs: [], classes: [], layers: [] };
  const comparisons: Comparison[] = [];
  for (const layer of layers) {
    const tensor = layer.tensors[model] ?? '';
    const wanted = readArray(network.folder, layer.float64);
    const single = readArray(network.folder, layer.float32);
    const cells = wanted.length / inputs.length;
    const about = {
      ...{ network: network.name, model, what: `Grad-CAM of ${layer.layer}` },
      cosine: null,
    };
    const started = performance.now();
    let error = 0;
    let float32Error = 0;
    let samePeaks = 0;
    try {
      for (const [index, file] of inputs.entries()) {
        const result = await host.call('explain', {
          model: path.join(network.folder, model),
          feeds: feedsOf(network, file),
          method: 'grad-cam',
          layers: [tensor],
          target: { kind: 'class', index: classes[index] ?? 0 },
          want: 'map',
        });
        const reference = wanted.subarray(index * cells, (index + 1) * cells);
        const ours = mapAgreement(result.map, reference);
        const theirs = mapAgreement(single.subarray(index * cells, (index + 1) * cells), reference);
        error = Math.max(error, ours.difference);
        float32Error = Math.max(float32Error, theirs.difference);
        if (ours.samePeak) samePeaks++;
      }
      comparisons.push({
        ...about,
        ...{ error, float32Error, samePeaks },
        milliseconds: performance.now() - started,
        passed: error <= MAP_DIFFERENCE && samePeaks === inputs.length,
        failure: null,
      });
    } catch (problem) {
      comparisons.push({ ...about, float32Error, samePeaks, ...failed(problem, started) });
    }
  }
  return comparisons;
}

function feedsOf({ folder, input }: NetworkCase, file: string): ModelFeeds {
  return { [input.name]: { kind: 'array', path: path.join(folder, file) } };
}

/** What is known of a comparison that gave no value. */
function failed(error: unknown, started: number) {
  return {
    error: NaN,
    cosine: null,
    milliseconds: performance.now() - started,
    passed: false,
    failure: error instanceof Error ? error.message : String(error),
  };
}

function lineOf(comparison: Comparison): string {
  const { network, model, what, error, float32Error, cosine, samePeaks, failure } = comparison;
  const head = `${comparison.passed ? 'ok' : '✗ '} ${network.padEnd(18)} ${model.padEnd(19)} ${what.padEnd(19)}`;
  if (failure !== null) return `${head} ${failure}`;
  const numbers = `ours ${error.toExponential(1)}  PyTorch float32 ${float32Error.toExponential(1)}`;
  const last = cosine === null ? `${samePeaks ?? 0} peaks equal` : `cosine ${cosine.toFixed(8)}`;
  return `${head} ${numbers}  ${last}  ${(comparison.milliseconds / 1000).toFixed(1)} s`;
}
