import type { Disposable } from '../../../protocol/lifecycle';
import type { Progress } from '../../../protocol/rpc';
import type { Terminal } from './command';

const WIDTH = 24;

/** A progress bar on standard error, drawn only on a terminal and wiped when done. */
export class ProgressBar implements Disposable {
  private drawn = false;

  constructor(private readonly terminal: Terminal) {}

  readonly show = ({ fraction, message }: Progress): void => {
    if (!this.terminal.interactive) return;
    this.drawn = true;
    const filled = Math.round((fraction ?? 0) * WIDTH);
    const bar = fraction === null ? '' : `[${'#'.repeat(filled)}${'.'.repeat(WIDTH - filled)}] `;
    this.terminal.err(`\r\x1b[K${bar}${message ?? ''}`);
  };

  dispose(): void {
    if (this.drawn) this.terminal.err('\r\x1b[K');
  }
}
