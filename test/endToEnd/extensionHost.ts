import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { Report } from './report';
import type { Installation } from './session';
import { Session, root } from './session';

/** What test/electron/suite/index.ts writes. */
interface SuiteTest {
  readonly title: string;
  readonly ms: number;
  readonly error: string | null;
}

/**
 * Runs the suite of `npm run test:electron` in the extension host of the server: VS Code takes the
 * extension and the tests from the address (`payload`) when the server has its test driver on, and
 * calls `codeAutomationExit` in the page when they are through.
 */
export const runExtensionHostSuite = async (
  installation: Installation,
  report: Report,
  name: string,
): Promise<void> => {
  const resultsFile = path.join(root, 'artifacts', 'test', 'extensionHost.json');
  rmSync(resultsFile, { force: true });
  const env = { LAYER_LENS_SUITE_RESULTS: resultsFile };
  const session = await Session.open(installation, { env }, ['--enable-smoke-test-driver']);
  try {
    const ended = new Promise<number>(resolve => {
      void session.context.exposeFunction('codeAutomationExit', resolve);
      void session.context.exposeFunction('codeAutomationLog', () => undefined);
    });
    const remote = (file: string): string =>
      `vscode-remote://127.0.0.1:${session.server.port}${path.join(root, file)}`;
    const payload = JSON.stringify([
      ['extensionDevelopmentPath', remote('.')],
      ['extensionTestsPath', remote('artifacts/electron/suite/index.js')],
    ]);
    const suite = async (): Promise<void> => {
      await session.window(report, name, { payload });
      const late = new Promise<string>(resolve => setTimeout(resolve, 120_000, 'late').unref());
      const end = await Promise.race([ended, late]);
      if (!existsSync(resultsFile)) throw new Error(`The suite gave no results (${end})`);
      const tests: SuiteTest[] = JSON.parse(readFileSync(resultsFile, 'utf8'));
      for (const { title, ms, error } of tests)
        report.record({
          scenario: name,
          step: title,
          ok: error === null,
          ms,
          ...(error !== null && { error }),
        });
      if (end !== 0 && tests.every(({ error }) => error === null))
        throw new Error(`The suite ended with ${end}`);
    };
    await report.step(name, 'the suite runs', suite, () => Promise.resolve());
  } finally {
    await session.close();
  }
};
