import { CancelledError } from '../../../protocol/errors';
import type { Priority } from '../../../protocol/rpc';

/** Most urgent first. */
const ORDER: readonly Priority[] = ['interactive', 'view', 'background'];
const rank = (priority: Priority): number => ORDER.indexOf(priority);

interface Waiting {
  readonly priority: Priority;
  start(): Promise<void>;
}

/** What a running job is given: a place to let others go first. */
export interface JobTurn {
  /**
   * To be awaited between the parts of a long job: reads what has arrived meanwhile, runs every job that is more urgent than this one, and
   * goes on. Throws CancelledError where this job was cancelled.
   */
  giveWay(): Promise<void>;
}

/**
 * Runs one job at a time: interactive before view before background, first come first served among equals. A job that is cancelled before
 * its turn never starts. A running job is only interrupted where it gives way.
 */
export class JobQueue {
  private readonly waiting: Waiting[] = [];
  private busy = false;

  run<T>(priority: Priority, signal: AbortSignal, job: (turn: JobTurn) => Promise<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (signal.aborted) {
        reject(new CancelledError());
        return;
      }
      const onAbort = (): void => {
        const index = this.waiting.indexOf(entry);
        if (index < 0) return;
        this.waiting.splice(index, 1);
        reject(new CancelledError());
      };
      const entry: Waiting = {
        priority,
        start: async () => {
          signal.removeEventListener('abort', onAbort);
          const turn = { giveWay: () => this.giveWay(priority, signal) };
          // a job may throw before it has given a promise
          try {
            resolve(await job(turn));
          } catch (error) {
            reject(error instanceof Error ? error : new Error(String(error)));
          }
        },
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.waiting.push(entry);
      void this.work();
    });
  }

  private async work(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    try {
      // Messages that came in while a run blocked the thread (cancels above all) count before the next job is chosen.
      for (await eventsRead(); this.waiting.length > 0; await eventsRead()) {
        await this.takeNext(ORDER.length)?.start();
      }
    } finally {
      this.busy = false;
    }
  }

  private async giveWay(priority: Priority, signal: AbortSignal): Promise<void> {
    await eventsRead();
    for (let next = this.takeNext(rank(priority)); next; next = this.takeNext(rank(priority))) {
      await next.start();
      await eventsRead();
    }
    if (signal.aborted) throw new CancelledError();
  }

  /** The first of the most urgent jobs whose rank is below `limit`. */
  private takeNext(limit: number): Waiting | undefined {
    const ranks = this.waiting.map(entry => rank(entry.priority));
    const best = Math.min(limit, ...ranks);
    if (best >= limit) return undefined;
    return this.waiting.splice(ranks.indexOf(best), 1)[0];
  }
}

/** Two turns of the event loop: one to poll, one so that what was polled has been handled. */
async function eventsRead(): Promise<void> {
  await new Promise(resolve => setImmediate(resolve));
  await new Promise(resolve => setImmediate(resolve));
}
