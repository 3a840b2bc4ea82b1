import os from 'node:os';
import type { EngineApi, EngineSettings } from '../../../protocol/engine';
import { CancelledError, UserError } from '../../../protocol/errors';
import { Emitter, Owner } from '../../../protocol/lifecycle';
import {
  RpcClient,
  type CallOptions,
  type MethodName,
  type Params,
  type ReplyMessage,
  type RequestMessage,
  type Result,
} from '../../../protocol/rpc';
import { CrashMemory, describeSubject, subjectOf, type CallSubject } from './crashMemory';
import { EngineProcess } from './engineProcess';

/** How long a cancelled run may take to end by itself. */
const CANCEL_GRACE_MS = 200;
/** How long an engine that holds much memory is kept with nothing to do. */
const IDLE_MS = 2000;
const GIB = 2 ** 30;

export interface EngineHostOptions {
  /** The bundle of engine/main.ts. */
  readonly enginePath: string;
  /** The Node.js that runs it; where left out, the one of this process. */
  readonly execPath?: string;
  readonly settings: EngineSettings;
  /** Resident bytes at which the engine is ended; 0 takes `defaultMemoryLimit`. */
  readonly memoryLimitBytes: number;
}

/** An engine that ended by itself. `message` is the sentence a person sees. */
export interface EngineCrash extends CallSubject {
  readonly message: string;
  /** Exit code or signal, for the log. */
  readonly reason: string;
}

/** 60 % of what the machine (or the container) has, at most 6 GiB. */
export function defaultMemoryLimit(): number {
  const constrained = process.constrainedMemory();
  const total = constrained > 0 ? Math.min(constrained, os.totalmem()) : os.totalmem();
  return Math.min(0.6 * total, 6 * GIB);
}

interface OpenCall {
  readonly message: RequestMessage & { readonly kind: 'call' };
  readonly subject: CallSubject;
  cancelled: boolean;
}

/**
 * The parent's side of the engine, for the language server and the command line. Starts the process with the first call, and again with
 * the next call after it ended. A cancelled call is over at once; a process that is blocked by its run is replaced, and the calls that
 * waited behind it are sent again. A process that ends by itself costs the one call that it was computing.
 */
export class EngineHost extends Owner {
  private readonly crashes = new CrashMemory();
  private readonly crashEvents = this.register(new Emitter<EngineCrash>());
  private readonly lines = this.register(new Emitter<string>());
  private readonly client = this.register(new RpcClient<EngineApi>(message => this.post(message)));
  private readonly open = new Map<number, OpenCall>();
  /** Calls that the engine has begun and not answered; the last one is computing, those before it have given way to it. */
  private started: number[] = [];
  private engine: EngineProcess | null = null;
  private resident = 0;
  private disposed = false;
  private graceTimer: NodeJS.Timeout | undefined;
  private idleTimer: NodeJS.Timeout | undefined;
  private readonly killOnExit = (): void => this.stop();

  /** Fires once per cause: not again for the same request until it was answered or its file changed. */
  readonly onCrash = this.crashEvents.event;
  /** What the engine process prints, a line at a time, for the log. */
  readonly onLine = this.lines.event;

  constructor(private options: EngineHostOptions) {
    super();
    process.on('exit', this.killOnExit);
  }

  /**
   * Calls a method of the engine. Throws the UserErrors of the method, CancelledError when `signal` says so, `engineCrashed` where the
   * process ended or a request that ended it twice comes again, `outOfMemory` where it went over the limit.
   */
  async call<M extends MethodName<EngineApi>>(
    method: M,
    params: Params<EngineApi, M>,
    options: CallOptions = {},
  ): Promise<Result<EngineApi, M>> {
    if (this.disposed) throw new CancelledError();
    const subject = subjectOf(method, params);
    const refusal = this.crashes.refusal(subject);
    if (refusal) throw refusal;
    const result = await this.client.call(method, params, options);
    this.crashes.forget(subject);
    return result;
  }

  /** Settings that changed. */
  configure(options: Pick<EngineHostOptions, 'settings' | 'memoryLimitBytes'>): void {
    this.options = { ...this.options, ...options };
    this.engine?.post(this.configuration());
  }

  /** Starts anew with nothing remembered; open calls are sent again. */
  restart(): void {
    this.crashes.clear();
    this.replace();
  }

  /** Process id of the running engine, if there is one. */
  get pid(): number | undefined {
    return this.engine?.pid;
  }

  override dispose(): void {
    this.disposed = true;
    process.off('exit', this.killOnExit);
    this.stop();
    super.dispose();
  }

  // -------------------------------------------------------------- to the engine

  private post(message: RequestMessage): void {
    if (message.kind === 'call') {
      if (message.method === 'release' && !this.engine) {
        // Nothing is held where nothing runs: no process is started for it.
        this.client.receive({ kind: 'result', id: message.id, value: null });
        return;
      }
      clearTimeout(this.idleTimer);
      const subject = subjectOf(message.method, message.params);
      this.open.set(message.id, { message, subject, cancelled: false });
      this.running().post(message);
      return;
    }
    const call = this.open.get(message.id);
    if (!call) return;
    call.cancelled = true;
    this.engine?.post(message);
    this.watchCancelled();
  }

  private running(): EngineProcess {
    if (this.engine) return this.engine;
    const engine = new EngineProcess(this.options.enginePath, this.options.execPath);
    this.engine = engine;
    engine.onMessage(message => this.receive(message));
    engine.onMemory(bytes => this.watchMemory(bytes));
    engine.onLine(line => this.lines.fire(line));
    engine.onEnd(reason => this.ended(reason));
    engine.post(this.configuration());
    return engine;
  }

  /** Ids of calls count from 1: nobody waits for the answer to this one. */
  private configuration(): RequestMessage {
    const params = this.options.settings;
    return { kind: 'call', id: 0, method: 'configure', params, priority: 'interactive' };
  }

  // ------------------------------------------------------------ from the engine

  /** The first progress of a call says that it has begun; it carries nothing else. */
  private receive(message: ReplyMessage): void {
    const { id } = message;
    if (message.kind === 'progress' && !this.started.includes(id)) {
      this.started.push(id);
      this.watchCancelled();
      return;
    }
    if (message.kind !== 'progress') this.close(id);
    this.client.receive(message);
  }

  private close(id: number): void {
    this.open.delete(id);
    this.started = this.started.filter(other => other !== id);
    this.watchCancelled();
    if (this.open.size === 0) this.watchIdle();
  }

  private fail(id: number, error: UserError): void {
    const { code, message, action } = error;
    this.close(id);
    this.client.receive({
      kind: 'error',
      id,
      error: { code, message, ...(action ? { action } : {}) },
    });
  }

  /** The engine ended by itself: the call it was computing fails, the others are sent again. Before it began any, all fail. */
  private ended(reason: string): void {
    if (this.open.size === 0) {
      this.lines.fire(`The engine process ended with ${reason} while it was idle.`);
      this.stop();
      return;
    }
    const culprit = this.computing();
    const subject = culprit?.subject ?? { method: 'start', model: null, layer: null };
    const message =
      culprit === undefined
        ? 'The engine stopped before it began; see the log for the reason.'
        : `The engine stopped while computing ${describeSubject(subject)}; the next request starts it again.`;
    const failing = culprit ? [culprit.message.id] : [...this.open.keys()];
    this.stop();
    if (!culprit?.cancelled) {
      this.lines.fire(`The engine process ended with ${reason} (${describeSubject(subject)}).`);
      const first = this.crashes.record(subject);
      if (first) this.crashEvents.fire({ ...subject, message, reason });
    }
    for (const id of failing) this.fail(id, new UserError('engineCrashed', message));
    this.resend();
  }

  private computing(): OpenCall | undefined {
    const id = this.started.at(-1);
    return id === undefined ? undefined : this.open.get(id);
  }

  // ------------------------------------------------------------------ replacing

  /** A cancelled call that computes gets its time to end; then the process is replaced. */
  private watchCancelled(): void {
    clearTimeout(this.graceTimer);
    if (this.computing()?.cancelled) {
      this.graceTimer = setTimeout(() => this.replace(), CANCEL_GRACE_MS);
    }
  }

  private watchIdle(): void {
    clearTimeout(this.idleTimer);
    this.idleTimer = setTimeout(() => {
      if (this.resident > this.memoryLimit() / 2) this.stop();
    }, IDLE_MS).unref();
  }

  private watchMemory(bytes: number): void {
    this.resident = bytes;
    const limit = this.memoryLimit();
    if (bytes <= limit) return;
    const culprit = this.computing();
    this.stop();
    if (culprit) this.fail(culprit.message.id, outOfMemory(culprit.subject, limit));
    this.resend();
  }

  private memoryLimit(): number {
    return this.options.memoryLimitBytes > 0 ? this.options.memoryLimitBytes : defaultMemoryLimit();
  }

  private replace(): void {
    this.stop();
    this.resend();
  }

  private stop(): void {
    clearTimeout(this.graceTimer);
    clearTimeout(this.idleTimer);
    this.engine?.dispose();
    this.engine = null;
    this.started = [];
    this.resident = 0;
  }

  /** Each replacement needs a cancel by a person or costs a call: sending again cannot become a loop. */
  private resend(): void {
    for (const [id, call] of [...this.open]) {
      if (call.cancelled) this.open.delete(id);
      else this.running().post(call.message);
    }
  }
}

function outOfMemory(subject: CallSubject, limit: number): UserError {
  return new UserError(
    'outOfMemory',
    `Computing ${describeSubject(subject)} needed more than the engine's ${(limit / GIB).toFixed(1)} GB of memory; use a smaller input or raise the limit.`,
    {
      title: 'Open Settings',
      command: 'workbench.action.openSettings',
      arguments: ['layerLens.engine'],
    },
  );
}
