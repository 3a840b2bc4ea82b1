// Reads vitest's JSON report the way `npm test` counts: what was skipped without a reason has failed.
import { existsSync, readFileSync } from 'node:fs';

/** The name of the suite that needs the shared folder (test/shared.ts), or undefined. */
const sharedSuite = ({ ancestorTitles }) =>
  ancestorTitles.find(title => title.startsWith('[shared] '));

/**
 * Gives `{ passed, failures, leftOut }`: the number of passed tests, one line for each
 * failure, and the names of the suites left out because the shared folder is absent. A file that could not
 * be loaded, a skipped test of any other suite and a missing report are failures.
 */
export const readUnitResults = file => {
  if (!existsSync(file)) return { passed: 0, failures: [], leftOut: [] };
  const report = JSON.parse(readFileSync(file, 'utf8'));
  const failures = [];
  const suites = new Set();
  let passed = 0;
  for (const { name, status, message, assertionResults } of report.testResults) {
    if (status === 'failed' && assertionResults.every(({ status }) => status !== 'failed'))
      failures.push(`${name}: ${message}`);
    for (const test of assertionResults) {
      if (test.status === 'passed') passed += 1;
      else if (test.status === 'failed') failures.push(test.fullName);
      else if (sharedSuite(test)) suites.add(sharedSuite(test));
      else failures.push(`${test.fullName}: ${test.status}, and nothing says why`);
    }
  }
  return { passed, failures, leftOut: [...suites] };
};
