// `npm start`: sets everything up and opens Layer Lens on a copy of the sample workspace.
import { createHash, randomBytes } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { cacheFolder } from './cache.mjs';
import { contentHash } from './contentHash.mjs';
import { findDesktop, openDesktop } from './desktop.mjs';
import { ensurePackage } from './package.mjs';
import { SetUpError, main, onEndSignal, root } from './project.mjs';
import { ensureDependencies } from './setUp.mjs';
import {
  ensureVsCodeServer,
  installExtension,
  seedSettings,
  startServer,
} from './vscodeServer.mjs';

const usage = `npm start -- [--web] [--port N]
  --web      the browser, even where there is a desktop VS Code
  --port N   the port of the browser mode (default: a free one)`;

const options = () => {
  try {
    const { values } = parseArgs({
      options: {
        web: { type: 'boolean', default: false },
        port: { type: 'string', default: '0' },
        help: { type: 'boolean', default: false },
      },
    });
    const port = Number(values.port);
    if (Number.isInteger(port) && port >= 0 && port < 65_536) return { ...values, port };
  } catch {
    // an option that there is not
  }
  throw new SetUpError(usage);
};

const isAlive = pid => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

/**
 * The folder with the profile of this checkout, kept from one start to the next. A second start at
 * the same time gets a folder of its own, which goes when it ends.
 */
const openSession = () => {
  const kept = path.join(
    cacheFolder(),
    `session-${createHash('sha256').update(root).digest('hex').slice(0, 12)}`,
  );
  const owner = path.join(kept, 'pid');
  mkdirSync(kept, { recursive: true, mode: 0o700 });
  if (existsSync(owner) && isAlive(Number(readFileSync(owner, 'utf8')))) {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'layer-lens-'));
    return { folder, close: () => rmSync(folder, { recursive: true, force: true }) };
  }
  writeFileSync(owner, String(process.pid));
  return { folder: kept, close: () => rmSync(owner, { force: true }) };
};

/**
 * A copy of the sample workspace, so that what is done in it does not touch the checkout. It is kept;
 * when the sample changes there is a new one beside it.
 */
const copySample = folder => {
  const version = contentHash(['samples/shapes']).slice(0, 12);
  const copy = path.join(folder, `workspace-${version}`, 'shapes');
  if (!existsSync(copy))
    cpSync(path.join(root, 'samples', 'shapes'), copy, {
      recursive: true,
      filter: source => path.basename(source) !== '__pycache__',
    });
  return copy;
};

/** Installs the VSIX unless this very file is installed already. */
const ensureInstalled = async (vscode, { dataDir, extensionsDir, vsix }) => {
  const stamp = `${extensionsDir}.installed`;
  const { mtimeMs, size } = statSync(vsix);
  const key = `${vsix} ${mtimeMs} ${size}`;
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === key) return;
  rmSync(extensionsDir, { recursive: true, force: true });
  await installExtension(vscode, { dataDir, extensionsDir, vsix });
  writeFileSync(stamp, key);
};

const serve = async (session, vsix, port) => {
  const vscode = await ensureVsCodeServer();
  const dataDir = path.join(session.folder, 'server');
  const extensionsDir = path.join(session.folder, 'server-extensions');
  const tokenFile = path.join(session.folder, 'token');
  const token = randomBytes(16).toString('hex');
  seedSettings(path.join(dataDir, 'data', 'User'));
  await ensureInstalled(vscode, { dataDir, extensionsDir, vsix });
  writeFileSync(tokenFile, token, { mode: 0o600 });
  const server = await startServer(vscode, {
    dataDir,
    extensionsDir,
    port,
    tokenFile,
    trust: true,
  });
  const told = new Promise(resolve => onEndSignal(() => resolve('told')));
  const folder = copySample(session.folder);
  // The code of the sample's network is opened at once: there is something to hover over.
  const code = `vscode-remote://${new URL(server.origin).host}${path.join(folder, 'shapes_cnn.py')}`;
  const payload = JSON.stringify([['openFile', code]]);
  const query = new URLSearchParams({ tkn: token, folder, payload });
  console.log(`Open ${server.origin}/?${query}\nCtrl+C ends it.`);
  const first = await Promise.race([told, server.exited]);
  await server.stop();
  rmSync(tokenFile, { force: true });
  if (first !== 'told')
    throw new SetUpError(`VS Code's server ended; its log is ${dataDir}/server.log.`);
};

await main(async () => {
  const { web, port, help } = options();
  if (help) return console.log(usage);
  await ensureDependencies();
  const vsix = await ensurePackage();
  const code = web ? null : findDesktop();
  const session = openSession();
  process.once('exit', session.close);
  if (!code) return serve(session, vsix, port);
  const userDataDir = path.join(session.folder, 'desktop');
  seedSettings(path.join(userDataDir, 'User'));
  const extensionsDir = path.join(session.folder, 'desktop-extensions');
  const folder = copySample(session.folder);
  await openDesktop(code, { userDataDir, extensionsDir, vsix, folder });
  console.log(`Layer Lens is open in VS Code, on ${folder}.`);
});
