import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { measureExtraction, type ExtractionResult } from './extraction';
import { measureListing, type ListingResult } from './listing';
import { mobileNetV2, resNet18, writeExternalModel } from './makeModels';
import { median, tableOf, type Measurement } from './measurement';

const GIB = 2 ** 30;
/** Fresh processes for one listing time. */
const LISTINGS = 5;

const [, , first = '', second = '', third = '', ...others] = process.argv;
if (first === 'listing') answer(measureListing(second));
else if (first === 'extraction') answer(measureExtraction(second));
else if (first === 'models') writeModels(second);
else runAll(first, second, third === 'json', others);

/** A child's result is the last line of its output. */
function answer(result: Promise<unknown>): void {
  void result.then(value => process.stdout.write(`${JSON.stringify(value)}\n`));
}

/** Runs one measurement in a process of its own. */
function inProcess<T>(kind: 'listing' | 'extraction', model: string): T {
  const child = spawnSync(process.execPath, [__filename, kind, model], { encoding: 'utf8' });
  if (child.status !== 0) throw new Error(`${kind} of ${model} failed: ${child.stderr}`);
  return JSON.parse(child.stdout.trim().split('\n').at(-1) ?? '');
}

interface BenchModels {
  readonly resnet: string;
  readonly mobilenet: string;
  readonly large: string;
}

/** Writes the models that are measured, once. */
function writeModels(models: string): BenchModels {
  mkdirSync(models, { recursive: true });
  const written = (name: string, make: () => Uint8Array): string => {
    const file = path.join(models, name);
    if (!existsSync(file)) writeFileSync(file, make());
    return file;
  };
  const resnet = written('resnet18.onnx', resNet18);
  const mobilenet = written('mobilenetv2.onnx', mobileNetV2);
  const large = path.join(models, 'external.onnx');
  const data = path.join(models, 'external.data');
  if (!existsSync(large) || statSync(data).size < GIB) writeExternalModel(models, GIB);
  return { resnet, mobilenet, large };
}

/** `others`: files with measurements that were made elsewhere. */
function runAll(
  models: string,
  resultFile: string,
  asJson: boolean,
  others: readonly string[],
): void {
  const { resnet, mobilenet, large } = writeModels(models);
  const results = [
    ...listing('small model (11.7 M parameters)', resnet),
    ...listing('model of 1 GB, external data', large),
    ...extraction('ResNet-18-sized', resnet, 1.5),
    ...extraction('MobileNetV2-sized', mobilenet, 2.3),
    ...others.flatMap(file => JSON.parse(readFileSync(file, 'utf8')) as Measurement[]),
  ];
  const [cpu] = os.cpus();
  const machine = {
    cpu: cpu?.model ?? '',
    cores: os.availableParallelism(),
    node: process.version,
    platform: process.platform,
  };
  const document = `${JSON.stringify({ machine, results }, null, 2)}\n`;
  mkdirSync(path.dirname(resultFile), { recursive: true });
  writeFileSync(resultFile, document);
  process.stdout.write(asJson ? document : `${tableOf(results)}\n`);
}

function listing(name: string, model: string): readonly Measurement[] {
  const runs = Array.from({ length: LISTINGS }, () => inProcess<ListingResult>('listing', model));
  return [
    {
      name: `Listing a ${name}`,
      value: median(runs.map(run => run.milliseconds)),
      unit: 'ms',
      aim: 300,
    },
    {
      name: '  extra memory',
      value: median(runs.map(run => run.extraMegabytes)),
      unit: 'MB',
      aim: null,
    },
    {
      name: '  memory of the process',
      value: median(runs.map(run => run.residentMegabytes)),
      unit: 'MB',
      aim: null,
    },
  ];
}

function extraction(name: string, model: string, aim: number): readonly Measurement[] {
  const run = inProcess<ExtractionResult>('extraction', model);
  return [
    { name: `${name}: plain forward run`, value: run.plainMs, unit: 'ms', aim: null },
    {
      name: '  maps of one layer, ratio',
      value: run.oneLayerMs / run.plainMs,
      unit: '×',
      aim: 1.2,
    },
    { name: '  maps of all layers, ratio', value: run.allLayersMs / run.plainMs, unit: '×', aim },
    { name: '  memory of the process', value: run.residentMegabytes, unit: 'MB', aim: null },
  ];
}
