// Entry of the tests that run inside an extension host: a desktop's (npm run test:electron) or the server's.
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Test } from 'mocha';

interface TestResult {
  title: string;
  ms: number;
  error: string | null;
}

/** Runs every *.test.js beside this file; rejects when one fails, which is how VS Code learns of it. */
export const run = async (): Promise<void> => {
  const { default: Mocha } = await import('mocha');
  const mocha = new Mocha({ ui: 'bdd', timeout: 60_000 });
  for (const file of readdirSync(__dirname)
    .filter(name => name.endsWith('.test.js'))
    .sort())
    mocha.addFile(path.join(__dirname, file));
  await mocha.loadFilesAsync();
  const results: TestResult[] = [];
  const add = (test: Test, error: string | null): void => {
    results.push({ title: test.fullTitle(), ms: test.duration ?? 0, error });
  };
  const failures = await new Promise<number>(resolve => {
    mocha
      .run(resolve)
      .on('pass', test => add(test, null))
      .on('pending', test => add(test, 'was skipped'))
      .on('fail', (test, error) => add(test, error.stack ?? error.message));
  });
  const file = process.env['LAYER_LENS_SUITE_RESULTS'];
  if (file !== undefined) {
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, JSON.stringify(results, null, 2));
  }
  if (failures > 0) throw new Error(`${failures} of ${results.length} tests failed`);
};
