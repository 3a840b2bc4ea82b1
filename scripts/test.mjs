// `npm test`: sets everything up and runs every check. `--only STAGE` (repeatable) for developers,
// `--scenario NAME` for one walk through VS Code. The last line is `N passed, N failed`.
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { bundleEndToEnd, bundleExtensionHostSuite } from './bundleTests.mjs';
import { ensureChromium } from './chromium.mjs';
import { ensurePackage } from './package.mjs';
import { SetUpError, artifacts, main, npmCommand, root, run } from './project.mjs';
import { ensureDependencies } from './setUp.mjs';
import { readUnitResults } from './unitResults.mjs';
import { ensureVsCodeServer } from './vscodeServer.mjs';

const resultsFolder = path.join(artifacts, 'test');
const counts = { passed: 0, failed: 0 };
const suitesLeftOut = [];

const count = ok => {
  counts[ok ? 'passed' : 'failed'] += 1;
};

const node = (args, options) => run(process.execPath, args, options);

/** A script of package.json that counts as one test; its output is shown when it fails. */
const npmScript = name => async () => {
  const [command, ...first] = npmCommand();
  const { status, output } = await run(command, [...first, 'run', '--silent', name]);
  if (status !== 0) console.log(output);
  count(status === 0);
};

const resultsFile = name => {
  mkdirSync(resultsFolder, { recursive: true });
  const file = path.join(resultsFolder, `${name}.json`);
  rmSync(file, { force: true });
  return file;
};

/** The vitest files below these folders of test/. */
const vitest = (name, folders) => async () => {
  const file = resultsFile(name);
  const runner = path.join(root, 'node_modules', 'vitest', 'vitest.mjs');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  const filters = folders.map(folder => `test/${folder}/`);
  // CI makes a forgotten .only an error and never writes snapshots.
  const env = { ...process.env, CI: 'true', NO_COLOR: '1' };
  const { status } = await node([runner, 'run', ...filters, ...reporters], { env, echo: true });
  const { passed, failures, leftOut } = readUnitResults(file);
  for (const line of failures) console.log(`FAIL ${line}`);
  counts.passed += passed;
  counts.failed += failures.length;
  suitesLeftOut.push(...leftOut);
  if (status !== 0 && failures.length === 0) {
    console.log(`FAIL vitest ended with ${status}`);
    count(false);
  }
};

const makePackage = async () => {
  await ensurePackage();
  count(true);
};

const endToEnd = scenario => async () => {
  await ensureChromium();
  await ensureVsCodeServer();
  const vsix = await ensurePackage();
  await bundleExtensionHostSuite();
  const runner = await bundleEndToEnd();
  const file = resultsFile('endToEnd');
  const only = scenario === undefined ? [] : ['--scenario', scenario];
  const args = [runner, '--vsix', vsix, '--results', file, ...only];
  const { status } = await node(args, { echo: true });
  const steps = existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')) : [];
  for (const { ok } of steps) count(ok);
  if (steps.length === 0 || (status !== 0 && steps.every(({ ok }) => ok))) {
    console.log(`FAIL the walks through VS Code ended with ${status}`);
    count(false);
  }
};

const stages = scenario => ({
  lint: npmScript('lint'),
  typecheck: npmScript('typecheck'),
  build: npmScript('build'),
  unit: vitest('unit', ['unit', 'protocol', 'golden', 'fuzz']),
  package: makePackage,
  contents: vitest('contents', ['package']),
  e2e: endToEnd(scenario),
});

/** Runs one stage and gives whether all of it passed; whatever it throws is one failed test. */
const runStage = async (name, stage) => {
  const start = performance.now();
  const before = { ...counts };
  console.log(`\n--- ${name}`);
  try {
    await stage();
  } catch (error) {
    console.log(error instanceof SetUpError ? error.message : error);
    count(false);
  }
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  const failed = counts.failed - before.failed;
  const passed = counts.passed - before.passed;
  console.log(
    `--- ${name}: ${failed === 0 ? 'ok' : `${failed} FAILED`}, ${passed} passed, ${seconds} s`,
  );
  return failed === 0;
};

const readOptions = () => {
  try {
    const options = { only: { type: 'string', multiple: true }, scenario: { type: 'string' } };
    const { values } = parseArgs({ options });
    const { only = Object.keys(stages()), scenario } = values;
    if (only.every(name => name in stages())) return { only, scenario };
  } catch {
    // an option that there is not
  }
  const names = Object.keys(stages()).join('|');
  throw new SetUpError(`npm test -- [--only ${names}]… [--scenario NAME]`);
};

await main(async () => {
  const { only, scenario } = readOptions();
  const chosen = Object.entries(stages(scenario)).filter(([name]) => only.includes(name));
  for (const [name, stage] of [['set-up', ensureDependencies], ...chosen]) {
    const worked = await runStage(name, stage);
    if (!worked && ['set-up', 'build', 'package'].includes(name)) {
      console.log(`What comes after ${name} was not run: it would only fail in its wake.`);
      break;
    }
  }
  console.log('');
  if (suitesLeftOut.length > 0)
    console.log(
      `left out: ${suitesLeftOut.length} suites that need the shared models, images and goldens (LAYER_LENS_SHARED): ${suitesLeftOut.join(', ')}`,
    );
  console.log(`${counts.passed} passed, ${counts.failed} failed`);
  return counts.failed === 0 ? 0 : 1;
});
