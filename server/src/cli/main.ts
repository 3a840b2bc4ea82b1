import path from 'node:path';
import { version } from '../../../package.json';
import type { Terminal } from './command';
import { runCommandLine } from './runCommandLine';

const terminal: Terminal = {
  out: text => process.stdout.write(text),
  err: text => process.stderr.write(text),
  columns: process.stdout.isTTY ? process.stdout.columns : 100,
  interactive: process.stderr.isTTY,
};

const controller = new AbortController();
process.on('SIGINT', () => controller.abort());
process.on('SIGTERM', () => controller.abort());
// A reader that has seen enough (`| head`) closes the pipe; that is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

void runCommandLine(process.argv.slice(2), {
  terminal,
  signal: controller.signal,
  enginePath: path.join(__dirname, 'engine.js'),
  version,
}).then(status => {
  process.exitCode = status;
});
