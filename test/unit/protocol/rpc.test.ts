import { describe, expect, it } from 'vitest';
import { CancelledError } from '../../../protocol/errors';
import {
  RpcClient,
  RpcServer,
  type Handlers,
  type Progress,
  type ReplyMessage,
} from '../../../protocol/rpc';

interface Api {
  count: { params: number; result: string };
}

/** A client and a server whose messages arrive at once, as copies: what crosses a process does. */
function channel(handlers: Handlers<Api>): RpcClient<Api> {
  const server = new RpcServer<Api>(handlers, reply => client.receive(structuredClone(reply)));
  const client: RpcClient<Api> = new RpcClient<Api>(message => server.receive(message));
  return client;
}

const counting: Handlers<Api> = {
  count: async (to, { signal, report }) => {
    for (let i = 1; i <= to; i++) {
      await Promise.resolve();
      if (signal.aborted) throw new CancelledError();
      report({ fraction: i / to, message: `${i}`, partial: `so far ${i}` });
    }
    return `counted ${to}`;
  },
};

describe('progress of a call', () => {
  it('reaches the caller with what there is so far', async () => {
    const told: Progress[] = [];
    const client = channel(counting);
    expect(await client.call('count', 2, { onProgress: each => told.push(each) })).toBe(
      'counted 2',
    );
    expect(told.map(({ fraction, partial }) => [fraction, partial])).toEqual([
      [0.5, 'so far 1'],
      [1, 'so far 2'],
    ]);
  });

  it('is passed on through a second channel whose calls have other numbers', async () => {
    const inner = channel(counting);
    await inner.call('count', 1);
    await inner.call('count', 1);
    const outer = channel({
      count: (to, { signal, report }) => inner.call('count', to, { signal, onProgress: report }),
    });
    const told: Progress[] = [];
    await outer.call('count', 3, { onProgress: each => told.push(each) });
    expect(told).toHaveLength(3);
  });

  it('ends with the call', async () => {
    const stop = new AbortController();
    const told: Progress[] = [];
    const call = channel(counting).call('count', 100, {
      signal: stop.signal,
      onProgress: each => {
        told.push(each);
        if (told.length === 2) stop.abort();
      },
    });
    await expect(call).rejects.toBeInstanceOf(CancelledError);
    await new Promise(resolve => setTimeout(resolve, 0));
    expect(told).toHaveLength(2);
  });

  it('of a call that nobody waits for is dropped', () => {
    const client = channel(counting);
    const late: ReplyMessage = { kind: 'progress', id: 99, fraction: 1 };
    expect(() => client.receive(late)).not.toThrow();
  });
});
