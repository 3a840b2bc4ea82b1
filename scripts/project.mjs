// The checkout and the commands that run in it. Needs nothing but Node.
import { spawn } from 'node:child_process';
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url)).replace(/[\\/]$/, '');
export const artifacts = path.join(root, 'artifacts');
export const manifest = () => JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));

/** Something that the person at the keyboard can put right: one sentence, shown without a stack. */
export class SetUpError extends Error {}

/** The environment without what a surrounding VS Code or Electron put there for its own children. */
export const cleanEnvironment = (extra = {}) =>
  Object.fromEntries(
    Object.entries({ ...process.env, ...extra }).filter(([k]) => !/^(VSCODE|ELECTRON)_/.test(k)),
  );

const isExecutable = file => {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
};

/** The full path of a program on the PATH, or null. */
export const findOnPath = name => {
  const endings = process.platform === 'win32' ? ['.cmd', '.exe', '.bat'] : [''];
  for (const folder of (process.env.PATH ?? '').split(path.delimiter).filter(path.isAbsolute))
    for (const ending of endings) {
      const file = path.join(folder, name + ending);
      if (isExecutable(file)) return file;
    }
  return null;
};

const quoteForShell = text =>
  /[\s"&|<>^()]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;

/**
 * Runs a command to its end and gives `{ status, output }` (standard output and error, in order of
 * arrival). With `echo` the output is shown as it comes. A command that cannot be started has
 * status null. `.cmd` files on Windows go through the shell, quoted.
 */
export const run = (command, args, { cwd = root, env = process.env, echo = false } = {}) =>
  new Promise(resolve => {
    const shell = process.platform === 'win32' && /\.(cmd|bat)$/i.test(command);
    const child = spawn(
      shell ? quoteForShell(command) : command,
      shell ? args.map(quoteForShell) : args,
      { cwd, env, shell, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    const endWithMe = () => child.kill();
    process.once('exit', endWithMe);
    const chunks = [];
    const collect = chunk => {
      chunks.push(chunk);
      if (echo) process.stdout.write(chunk);
    };
    child.stdout.on('data', collect);
    child.stderr.on('data', collect);
    const end = status => {
      process.off('exit', endWithMe);
      resolve({ status, output: Buffer.concat(chunks).toString('utf8') });
    };
    child.on('error', error => {
      chunks.push(Buffer.from(`${error.message}\n`));
      end(null);
    });
    child.on('close', end);
  });

/** As `run`, and a failure becomes a SetUpError with the end of the output in it. */
export const mustRun = async (what, command, args, options) => {
  const { status, output } = await run(command, args, options);
  if (status === 0) return output;
  const tail = output.trim().split('\n').slice(-15).join('\n');
  throw new SetUpError(`${what} failed (${path.basename(command)}, exit ${status}):\n${tail}`);
};

/**
 * npm as [command, ...first arguments]: the one that runs this script, else the one on the PATH.
 * `node` is the Node that npm itself shall run on.
 */
export const npmCommand = (node = process.execPath) => {
  const own = process.env.npm_execpath;
  if (own && /npm-cli\.[cm]?js$/.test(own)) return [node, own];
  return [process.platform === 'win32' ? 'npm.cmd' : 'npm'];
};

/** Runs npm without audit, funding and update chatter; a failure is a SetUpError. */
export const npm = (what, args, { node, ...options } = {}) => {
  const [command, ...first] = npmCommand(node);
  const quiet = ['--no-audit', '--no-fund', '--no-update-notifier', '--loglevel=error'];
  return mustRun(what, command, [...first, ...args, ...quiet], options);
};

/** Says what is being done, then how long it took. */
export const announce = async (what, work) => {
  const start = performance.now();
  process.stdout.write(`${what} …\n`);
  const result = await work();
  process.stdout.write(`${what}: ${((performance.now() - start) / 1000).toFixed(1)} s\n`);
  return result;
};

const endSignals = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 };

/** Calls `act` at the first signal to end, instead of what was to happen then. */
export const onEndSignal = act => {
  for (const [name, status] of Object.entries(endSignals))
    process.removeAllListeners(name).on(name, () => act(status));
};

/**
 * Entry point of every script: the exit status is what `work` gives, a SetUpError one sentence. A
 * signal to end runs the exit handlers, which give back locks and end what was started.
 */
export const main = async work => {
  onEndSignal(status => process.exit(status));
  const [major, minor] = process.versions.node.split('.').map(Number);
  try {
    if (major < 20 || (major === 20 && minor < 19))
      throw new SetUpError(`Node 20.19 or newer is needed; this is ${process.versions.node}.`);
    process.exitCode = (await work()) ?? 0;
  } catch (error) {
    console.error(error instanceof SetUpError ? error.message : error);
    process.exitCode = 1;
  }
};
