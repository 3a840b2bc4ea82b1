// Finds a Chromium or Chrome for the tests in VS Code, or installs Debian's.
import { existsSync, readFileSync } from 'node:fs';
import { withLock } from './cache.mjs';
import { SetUpError, announce, findOnPath, mustRun, run } from './project.mjs';

const findChromium = async () => {
  const { CHROMIUM, CHROMIUM_PATH, CHROME_PATH } = process.env;
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
  for (const candidate of [CHROMIUM, CHROMIUM_PATH, CHROME_PATH, ...names.map(findOnPath)]) {
    if (!candidate) continue;
    // Ubuntu has a chromium-browser that only says that a snap is needed.
    const { status, output } = await run(candidate, ['--version']);
    if (status === 0 && /Chrom/.test(output)) return candidate;
  }
  return null;
};

const isDebianLike = () => {
  const file = '/etc/os-release';
  return existsSync(file) && /^ID(_LIKE)?=.*(debian|ubuntu)/m.test(readFileSync(file, 'utf8'));
};

/** The words before apt-get that make it run as root, or null where it cannot. */
const asRoot = async () => {
  if (process.getuid?.() === 0) return [];
  return (await run('sudo', ['-n', 'true'])).status === 0 ? ['sudo', '-n'] : null;
};

/** The path of a Chromium or Chrome; on Debian and Ubuntu it is installed when that needs no password. */
export const ensureChromium = async () => {
  const found = await findChromium();
  if (found) return found;
  const missing = 'The tests in VS Code need Chromium or Chrome';
  const remedy =
    'install it (Debian: apt-get install chromium fonts-dejavu-core) or set CHROMIUM to its path.';
  const prefix = isDebianLike() && findOnPath('apt-get') ? await asRoot() : null;
  if (!prefix) throw new SetUpError(`${missing}: ${remedy}`);
  await withLock('chromium', async () => {
    if (await findChromium()) return;
    const aptGet = [...prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-q'];
    const apt = args => {
      const [command, ...first] = [...aptGet, '-o', 'DPkg::Lock::Timeout=300', ...args];
      return mustRun(`${missing}; apt-get ${args[0]}`, command, first);
    };
    await announce('Installing Chromium', async () => {
      await apt(['update']);
      await apt(['install', '-y', '--no-install-recommends', 'chromium', 'fonts-dejavu-core']);
    });
  });
  const installed = await findChromium();
  if (!installed)
    throw new SetUpError(`${missing}, and this system's package is only a stub: ${remedy}`);
  return installed;
};
