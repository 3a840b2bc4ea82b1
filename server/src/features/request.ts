import {
  ResponseError,
  LSPErrorCodes,
  type CancellationToken,
  type Connection,
} from 'vscode-languageserver/node';
import { toWireError } from '../../../protocol/errors';
import type { ServerApi } from '../../../protocol/server';

/** An AbortSignal that follows an LSP token; the one place where the two meet. */
export function signalOf(token: CancellationToken): AbortSignal {
  const controller = new AbortController();
  if (token.isCancellationRequested) controller.abort();
  else token.onCancellationRequested(() => controller.abort());
  return controller.signal;
}

/** Registers a custom request. Errors leave as `ResponseError` whose data is a WireError; stacks go to the log. */
export function onRequest<M extends keyof ServerApi>(
  connection: Connection,
  method: M,
  handler: (params: ServerApi[M]['params'], signal: AbortSignal) => Promise<ServerApi[M]['result']>,
): void {
  connection.onRequest(method, async (params: ServerApi[M]['params'], token: CancellationToken) => {
    try {
      return await handler(params, signalOf(token));
    } catch (error) {
      const { stack, ...wire } = toWireError(error);
      if (wire.code === 'cancelled')
        return new ResponseError(LSPErrorCodes.RequestCancelled, wire.message, wire);
      connection.console.warn(
        `${method}: ${wire.message}${wire.code === 'internal' && stack ? `\n${stack}` : ''}`,
      );
      return new ResponseError(LSPErrorCodes.RequestFailed, wire.message, wire);
    }
  });
}
