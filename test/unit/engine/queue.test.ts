import { describe, expect, it } from 'vitest';
import { CancelledError } from '../../../protocol/errors';
import type { Priority } from '../../../protocol/rpc';
import { JobQueue, type JobTurn } from '../../../server/src/engine/queue';

const never = new AbortController().signal;

describe('JobQueue', () => {
  it('gives way to more urgent jobs only, at the place where a job says so', async () => {
    const queue = new JobQueue();
    const order: string[] = [];
    const add = (name: string, priority: Priority, work?: (turn: JobTurn) => Promise<void>) =>
      queue.run(priority, never, async turn => {
        order.push(`${name} begins`);
        await work?.(turn);
        order.push(`${name} ends`);
      });
    let others: Promise<void>[] = [];
    await add('long', 'view', async turn => {
      others = [add('late', 'background'), add('equal', 'view'), add('hover', 'interactive')];
      await Promise.resolve();
      order.push('long works');
      await turn.giveWay();
    });
    await Promise.all(others);
    expect(order).toEqual([
      'long begins',
      'long works',
      'hover begins',
      'hover ends',
      'long ends',
      'equal begins',
      'equal ends',
      'late begins',
      'late ends',
    ]);
  });

  it('rejects a job that is cancelled while it waits, without starting it', async () => {
    const queue = new JobQueue();
    const controller = new AbortController();
    let started = false;
    const waiting = queue.run('view', controller.signal, async () => {
      started = true;
    });
    controller.abort();
    await expect(waiting).rejects.toBeInstanceOf(CancelledError);
    await queue.run('background', never, async () => undefined);
    expect(started).toBe(false);
  });

  it('ends a cancelled job where it gives way', async () => {
    const queue = new JobQueue();
    const controller = new AbortController();
    const job = queue.run('view', controller.signal, async turn => {
      controller.abort();
      await turn.giveWay();
    });
    await expect(job).rejects.toBeInstanceOf(CancelledError);
  });

  it('goes on after a job that failed', async () => {
    const queue = new JobQueue();
    const failing = queue.run('view', never, () => Promise.reject(new Error('broken')));
    await expect(failing).rejects.toThrow('broken');
    expect(await queue.run('view', never, async () => 'next')).toBe('next');
  });
});
