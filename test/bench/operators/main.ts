import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { caseNames, readCase } from './cases';
import { checkCase, type Outcome } from './checkCase';

/** Usage: main FOLDER RESULTS [NAME ...]. Exit status 1 where a derivative is missing or wrong. */
const [, , folder = '', results = '', ...wanted] = process.argv;

/** How many of the largest errors are printed. */
const WORST = 10;

interface Checked {
  readonly name: string;
  readonly operators: readonly string[];
  readonly opset: number;
  readonly outcome: Outcome;
}

void main();

async function main(): Promise<void> {
  const names = existsSync(folder) ? caseNames(folder) : [];
  if (names.length === 0) {
    process.stderr.write(
      'There are no models: run "pip install onnx==1.21.0" and "python test/bench/operators/makeModels.py".\n',
    );
    process.exitCode = 1;
    return;
  }
  const checked: Checked[] = [];
  for (const name of names.filter(each => wanted.length === 0 || wanted.includes(each)))
    checked.push(await check(name));
  mkdirSync(path.dirname(results), { recursive: true });
  writeFileSync(results, `${JSON.stringify({ cases: checked.map(plain) }, null, 2)}\n`);
  report(checked);
}

async function check(name: string): Promise<Checked> {
  const given = readCase(folder, name);
  const { graph, opsets } = given.model;
  return {
    name,
    operators: [...new Set(graph.nodes.map(node => node.op))],
    opset: opsets.get('') ?? 1,
    outcome: await checkCase(given),
  };
}

/** A line of the results file. */
const plain = ({ outcome, ...about }: Checked): object => ({ ...about, ...outcome });

function report(checked: readonly Checked[]): void {
  const passed: [Checked, number][] = [];
  const lines: string[] = [];
  const reasons = new Map<string, number>();
  let counted = 0;
  for (const each of checked) {
    const { outcome } = each;
    if (outcome.kind === 'excluded') {
      reasons.set(outcome.reason, (reasons.get(outcome.reason) ?? 0) + 1);
      continue;
    }
    counted++;
    if (outcome.kind === 'passed') passed.push([each, outcome.error]);
    if (outcome.kind === 'uncovered') lines.push(`–  ${each.name}: ${outcome.detail}`);
    if (outcome.kind === 'failed')
      lines.push(`✗  ${each.name}: error ${outcome.error.toExponential(1)} ${outcome.detail}`);
  }
  const share = ((100 * passed.length) / Math.max(1, counted)).toFixed(1);
  print(`${passed.length} of ${counted} cases that have a derivative are right (${share} %)`);
  lines.forEach(print);
  print('Largest relative errors:');
  passed.sort(([, a], [, b]) => b - a);
  for (const [{ name }, error] of passed.slice(0, WORST))
    print(`   ${error.toExponential(1)}  ${name}`);
  print(`Not counted, ${checked.length - counted} cases:`);
  for (const [reason, count] of [...reasons].sort(([, a], [, b]) => b - a))
    print(`   ${String(count).padStart(4)}  ${reason}`);
  if (checked.some(({ outcome }) => outcome.kind === 'failed')) process.exitCode = 1;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}
