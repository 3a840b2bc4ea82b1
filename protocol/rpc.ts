import { CancelledError, fromWireError, toWireError, type WireError } from './errors';
import type { Disposable } from './lifecycle';

/** Each method of an API: what it takes and what it gives. APIs are interfaces of such entries. */
export interface MethodShape {
  params: unknown;
  result: unknown;
}
export type ApiShape<A> = { [M in keyof A]: MethodShape };
export type MethodName<A> = keyof A & string;
export type Params<A extends ApiShape<A>, M extends keyof A> = A[M]['params'];
export type Result<A extends ApiShape<A>, M extends keyof A> = A[M]['result'];

/** How far a call is. `partial` is a result so far, of the method's result type. */
export interface Progress {
  /** 0…1, or null where the length is unknown. */
  readonly fraction: number | null;
  readonly message?: string;
  readonly partial?: unknown;
}

/** `interactive`: hover and caret; `view`: what a person asked for; `background`: what nobody waits for. */
export type Priority = 'interactive' | 'view' | 'background';

export type RequestMessage =
  | {
      readonly kind: 'call';
      readonly id: number;
      readonly method: string;
      readonly params: unknown;
      readonly priority: Priority;
    }
  | { readonly kind: 'cancel'; readonly id: number };
export type ReplyMessage =
  | { readonly kind: 'result'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'error'; readonly id: number; readonly error: WireError }
  | ({ readonly kind: 'progress'; readonly id: number } & Progress);

export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly priority?: Priority;
  readonly onProgress?: (progress: Progress) => void;
}

/** What a handler gets besides its parameters. */
export interface CallContext {
  readonly signal: AbortSignal;
  readonly priority: Priority;
  report(progress: Progress): void;
}

export type Handlers<A extends ApiShape<A>> = {
  [M in keyof A]: (
    params: A[M]['params'],
    context: CallContext,
  ) => Promise<A[M]['result']> | A[M]['result'];
};

interface Pending {
  resolve(value: unknown): void;
  reject(error: Error): void;
  onProgress: ((progress: Progress) => void) | undefined;
  stopListening(): void;
}

/** The calling end of a channel. Replies of types the API does not know are ignored. */
export class RpcClient<A extends ApiShape<A>> implements Disposable {
  private readonly pending = new Map<number, Pending>();
  private nextId = 1;

  constructor(private readonly post: (message: RequestMessage) => void) {}

  call<M extends MethodName<A>>(
    method: M,
    params: Params<A, M>,
    options: CallOptions = {},
  ): Promise<Result<A, M>> {
    const { signal, priority = 'view', onProgress } = options;
    if (signal?.aborted) return Promise.reject(new CancelledError());
    const id = this.nextId++;
    return new Promise<Result<A, M>>((resolve, reject) => {
      const onAbort = (): void => {
        this.post({ kind: 'cancel', id });
        this.settle(id)?.reject(new CancelledError());
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.pending.set(id, {
        resolve,
        reject,
        onProgress,
        stopListening: () => signal?.removeEventListener('abort', onAbort),
      });
      this.post({ kind: 'call', id, method, params, priority });
    });
  }

  receive(message: ReplyMessage): void {
    if (message.kind === 'progress') this.pending.get(message.id)?.onProgress?.(message);
    else if (message.kind === 'result') this.settle(message.id)?.resolve(message.value);
    else this.settle(message.id)?.reject(fromWireError(message.error));
  }

  /** Ends every open call with this error, for instance when the other end died. */
  failAll(error: Error): void {
    for (const id of [...this.pending.keys()]) this.settle(id)?.reject(error);
  }

  dispose(): void {
    this.failAll(new CancelledError());
  }

  private settle(id: number): Pending | undefined {
    const pending = this.pending.get(id);
    this.pending.delete(id);
    pending?.stopListening();
    return pending;
  }
}

/** The answering end of a channel: `receive` gets what the other end posts. */
export class RpcServer<A extends ApiShape<A>> implements Disposable {
  private readonly running = new Map<number, AbortController>();

  constructor(
    private readonly handlers: Handlers<A>,
    private readonly post: (message: ReplyMessage) => void,
  ) {}

  receive(message: RequestMessage): void {
    if (message.kind === 'cancel') this.running.get(message.id)?.abort();
    else void this.answer(message.id, message.method, message.params, message.priority);
  }

  dispose(): void {
    for (const controller of this.running.values()) controller.abort();
    this.running.clear();
  }

  private async answer(
    id: number,
    method: string,
    params: unknown,
    priority: Priority,
  ): Promise<void> {
    const controller = new AbortController();
    this.running.set(id, controller);
    try {
      if (!this.knows(method)) throw new Error(`unknown method ${method}`);
      const context: CallContext = {
        signal: controller.signal,
        priority,
        // A progress that is passed on from another channel may carry that channel's id.
        report: progress => this.post({ ...progress, kind: 'progress', id }),
      };
      const value = await this.handlers[method](params, context);
      this.post({ kind: 'result', id, value });
    } catch (error) {
      this.post({ kind: 'error', id, error: toWireError(error) });
    } finally {
      this.running.delete(id);
    }
  }

  private knows(method: string): method is MethodName<A> {
    return Object.hasOwn(this.handlers, method);
  }
}
