import { writeSync } from 'node:fs';
import { HEARTBEAT_FD, HEARTBEAT_MS } from './heartbeat';

/**
 * A thread of the engine process that goes on while a native run blocks the main thread. It writes the resident memory of the process, one
 * decimal number a line, to the pipe that the parent holds. Nobody at the other end means that the parent is gone: then the process ends,
 * whatever it computes.
 */
function beat(): void {
  try {
    writeSync(HEARTBEAT_FD, `${process.memoryUsage.rss()}\n`);
  } catch (error) {
    // A full pipe is a parent that is busy, not one that is gone.
    const busy = error instanceof Error && 'code' in error && error.code === 'EAGAIN';
    if (!busy) process.kill(process.pid, 'SIGKILL');
  }
}

beat();
setInterval(beat, HEARTBEAT_MS);
