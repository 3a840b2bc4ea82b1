import path from 'node:path';
import { Worker } from 'node:worker_threads';
import type { EngineApi } from '../../../protocol/engine';
import type { CallContext, Handlers, RequestMessage } from '../../../protocol/rpc';
import { RpcServer } from '../../../protocol/rpc';
import type { JobQueue, JobTurn } from './queue';

/**
 * Answers the engine's API on the message channel of this process until the parent goes; then the process ends, and with it whatever it
 * computes. The watchdog's bundle lies beside the engine's.
 */
export function serve(handlers: Handlers<EngineApi>): void {
  if (!process.send) throw new Error('The engine is started by Layer Lens, not by hand.');
  const server = new RpcServer<EngineApi>(handlers, reply => {
    // A reply to a parent that just went is lost with this process.
    process.send?.(reply, undefined, undefined, () => undefined);
  });
  process.on('message', message => {
    if (isRequest(message)) server.receive(message);
  });
  process.on('disconnect', () => process.exit(0));
  new Worker(path.join(__dirname, 'engineWatchdog.js')).unref();
}

/** The other end is this project's own host: its messages are known by their kind. */
function isRequest(message: unknown): message is RequestMessage {
  if (typeof message !== 'object' || message === null || !('kind' in message)) return false;
  return message.kind === 'call' || message.kind === 'cancel';
}

/**
 * A handler that waits for its turn. Its first progress, empty, tells the host that it has begun: from then on the host takes it for what
 * the process is busy with.
 */
export function queued<P, R>(
  queue: JobQueue,
  compute: (params: P, context: CallContext, turn: JobTurn) => Promise<R>,
): (params: P, context: CallContext) => Promise<R> {
  return (params, context) =>
    queue.run(context.priority, context.signal, turn => {
      context.report({ fraction: null });
      return compute(params, context, turn);
    });
}
