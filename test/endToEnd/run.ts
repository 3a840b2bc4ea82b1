// Walks through all scenarios in the real VS Code: `--vsix FILE --results FILE [--scenario NAME] [--folder measurements]`.
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { ensureVsCodeServer, installExtension } from '../../scripts/vscodeServer.mjs';
import { runExtensionHostSuite } from './extensionHost';
import { Report, StepFailed } from './report';
import type { Scenario } from './scenario';
import type { Installation } from './session';
import { Session, launchBrowser } from './session';
import type { Workbench } from './workbench';

const extensionHostName = 'extension-host';

interface Options {
  readonly vsix: string;
  readonly results: string;
  readonly scenario: string | undefined;
  /** The walks that are checked, or those that measure. */
  readonly folder: string;
}

const readOptions = (): Options => {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    options: { vsix: text, results: text, scenario: text, folder: text },
  });
  const { vsix, results, scenario, folder = 'scenarios' } = values;
  if (vsix === undefined || results === undefined)
    throw new Error('--vsix and --results are needed');
  return { vsix, results, scenario, folder };
};

const isScenario = (value: unknown): value is Scenario =>
  typeof value === 'object' && value !== null && 'name' in value && 'run' in value;

/** Every file of the folder exports one `scenario`. */
const loadScenarios = async (name: string): Promise<Scenario[]> => {
  const folder = path.join(import.meta.dirname, name);
  const files = readdirSync(folder)
    .filter(file => file.endsWith('.mjs'))
    .sort();
  return Promise.all(
    files.map(async file => {
      const module: { scenario?: unknown } = await import(
        pathToFileURL(path.join(folder, file)).href
      );
      if (!isScenario(module.scenario)) throw new Error(`${file} exports no scenario`);
      return module.scenario;
    }),
  );
};

const runScenario = async (
  installation: Installation,
  report: Report,
  { name, options = {}, run }: Scenario,
): Promise<void> => {
  const nothing = (): Promise<void> => Promise.resolve();
  const opened = report.step(
    name,
    'the server starts',
    () => Session.open(installation, options),
    nothing,
  );
  const session = await opened;
  try {
    const note = async (): Promise<void> => console.log(session.serverLog());
    const open = (): Promise<Workbench> => session.window(report, name);
    const workbench = await report.step(name, 'the window opens', open, note);
    await run(workbench);
  } finally {
    await session.close();
  }
};

/** A failed step is in the report already; anything else that ends a scenario is put there. */
const guarded = async (report: Report, name: string, work: () => Promise<void>): Promise<void> => {
  try {
    await work();
  } catch (error) {
    if (error instanceof StepFailed) return;
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
    report.record({ scenario: name, step: 'outside the steps', ok: false, ms: 0, error: text });
  }
};

const main = async (): Promise<number> => {
  const { vsix, results, scenario: wanted, folder: chosen } = readOptions();
  const report = new Report();
  const scenarios = (await loadScenarios(chosen)).filter(
    ({ name }) => wanted === undefined || name === wanted,
  );
  const withSuite =
    chosen === 'scenarios' && (wanted === undefined || wanted === extensionHostName);
  if (scenarios.length === 0 && !withSuite) throw new Error(`There is no scenario ${wanted}`);
  const folder = mkdtempSync(path.join(os.tmpdir(), 'layer-lens-'));
  const vscode = await ensureVsCodeServer();
  const browser = await launchBrowser();
  try {
    const extensionsDir = path.join(folder, 'extensions');
    const dataDir = path.join(folder, 'install');
    await installExtension(vscode, { dataDir, extensionsDir, vsix });
    const installation = { vscode, extensionsDir, browser };
    for (const each of scenarios)
      await guarded(report, each.name, () => runScenario(installation, report, each));
    if (withSuite)
      await guarded(report, extensionHostName, () =>
        runExtensionHostSuite(
          { ...installation, extensionsDir: path.join(folder, 'none') },
          report,
          extensionHostName,
        ),
      );
  } finally {
    await browser.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    report.write(results);
  }
  return report.failed === 0 ? 0 : 1;
};

for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
  process.once(name, () => process.exit(1));
process.exitCode = await main();
