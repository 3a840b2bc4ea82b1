// `npm run test:electron`: the extension host suite in a desktop VS Code. VSCODE_EXECUTABLE names one
// (the program itself, not the `code` command); without it @vscode/test-electron downloads the current one.
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { bundleExtensionHostSuite } from './bundleTests.mjs';
import { main, root } from './project.mjs';
import { ensureBuild, ensureDependencies } from './setUp.mjs';

await main(async () => {
  await ensureDependencies();
  await ensureBuild();
  const extensionTestsPath = await bundleExtensionHostSuite();
  const { runTests } = await import('@vscode/test-electron');
  const folder = mkdtempSync(path.join(os.tmpdir(), 'layer-lens-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  const workspace = path.join(folder, 'shapes');
  cpSync(path.join(root, 'samples', 'shapes'), workspace, { recursive: true });
  return runTests({
    vscodeExecutablePath: process.env.VSCODE_EXECUTABLE,
    extensionDevelopmentPath: root,
    extensionTestsPath,
    launchArgs: [
      workspace,
      ...['--disable-extensions', '--skip-welcome', '--skip-release-notes'],
      `--user-data-dir=${path.join(folder, 'user')}`,
    ],
  });
});
