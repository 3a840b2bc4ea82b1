import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Engine } from '../../../server/src/engine/engine';
import { tableOf, type Measurement } from '../measurement';
import { checkModel, type AttentionCase, type Outcome } from './checkCase';
import { measureMaps } from './speed';

/** The network that is timed, as exported with attention written out and as one operator. */
const TIMED = ['torchscript17.onnx', 'dynamo23.onnx'];

/** Usage: main FOLDER RESULTS [NAME ...]. Exit status 1 where attention is missed, wrong, or found where there is none. */
const [, , folder = '', results = '', ...wanted] = process.argv;

void main();

async function main(): Promise<void> {
  const names = existsSync(folder) ? readdirSync(folder).sort() : [];
  const cases = names.filter(name => existsSync(path.join(folder, name, 'case.json')));
  if (cases.length === 0) {
    print('There are no models: run "python test/bench/attention/makeModels.py" first.');
    process.exitCode = 1;
    return;
  }
  const engine = new Engine();
  const outcomes: (Outcome & { readonly model: string })[] = [];
  for (const name of cases.filter(each => wanted.length === 0 || wanted.includes(each))) {
    const given: AttentionCase = JSON.parse(
      readFileSync(path.join(folder, name, 'case.json'), 'utf8'),
    );
    for (const file of given.models) {
      const outcome = await checkModel(engine, path.join(folder, name), given, file);
      outcomes.push({ model: `${name}/${file}`, ...outcome });
      for (const problem of outcome.problems) print(`✗  ${name}/${file}: ${problem}`);
    }
  }
  engine.dispose();
  const speed: Measurement[] = [];
  for (const file of TIMED) {
    const model = path.join(folder, 'timed', file);
    if (existsSync(model)) speed.push(...(await measureMaps(model, `DeiT-S (${file})`)));
  }
  report(outcomes, speed);
}

function report(
  outcomes: readonly (Outcome & { readonly model: string })[],
  speed: readonly Measurement[],
): void {
  const right = outcomes.filter(({ problems }) => problems.length === 0);
  const blocks = (some: readonly Outcome[]): number =>
    some.reduce((sum, each) => sum + each.blocks, 0);
  const largest = (half: boolean): string =>
    [(each: Outcome) => each.difference, (each: Outcome) => each.rebuilt]
      .map(of => Math.max(0, ...right.filter(each => each.half === half).map(of)).toExponential(1))
      .join(' from PyTorch, ');
  mkdirSync(path.dirname(results), { recursive: true });
  writeFileSync(results, `${JSON.stringify({ models: outcomes, speed }, null, 2)}\n`);
  print(
    `${right.length} of ${outcomes.length} models are right, with ${blocks(right)} of ${blocks(outcomes)} attention blocks`,
  );
  print(`Largest difference: ${largest(false)} of rebuilt outputs`);
  print(`In half precision:  ${largest(true)} of rebuilt outputs`);
  if (speed.length > 0) print(tableOf(speed));
  if (right.length < outcomes.length) process.exitCode = 1;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
