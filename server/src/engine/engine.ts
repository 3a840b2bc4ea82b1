import type { EngineApi, EngineSettings, EngineStatus } from '../../../protocol/engine';
import { Owner } from '../../../protocol/lifecycle';
import type { MethodApi } from '../../../protocol/methods';
import type { CallContext, Handlers } from '../../../protocol/rpc';
import type { Method } from '../methods/method';
import { Activations } from './activations';
import { Feeds } from './feeds';
import { methodContext } from './methodContext';
import { OpenModels } from './openModels';
import { Pictures } from './pictures';
import { JobQueue } from './queue';
import { queued } from './serve';
import { Sessions } from './sessions';
import { Tokenizers } from './tokenizers';

/** What holds until the parent has configured the engine. */
const INITIAL: EngineSettings = {
  threads: 0,
  sessionCacheBytes: 1.5 * 2 ** 30,
  activationCacheBytes: 2 ** 29,
};

/** A method of any name: the registry's type says that there is one for each. */
export type AnyMethod = { readonly [M in keyof MethodApi]: Method<M> }[keyof MethodApi];

/** The state of the engine process, and its answers to the engine's API. One call computes at a time. */
export class Engine extends Owner {
  private readonly queue = new JobQueue();
  private readonly models = this.register(new OpenModels());
  private readonly pictures = this.register(new Pictures());
  private readonly tokenizers = new Tokenizers();
  private readonly feeds = this.register(new Feeds(this.pictures));
  private readonly sessions = this.register(
    new Sessions(INITIAL.sessionCacheBytes, INITIAL.threads),
  );
  private readonly activations = this.register(
    new Activations(INITIAL.activationCacheBytes, this.sessions),
  );

  /** The handlers of all calls. Throws where a method of the API is missing from the list. */
  handlers(methods: readonly AnyMethod[]): Handlers<EngineApi> {
    const table = Object.fromEntries(methods.map(method => [method.name, this.handler(method)]));
    if (!answersAll(table, methods)) throw new Error('two methods of the engine share a name');
    return {
      ...table,
      // What closes sessions waits until nobody uses one.
      configure: queued(this.queue, async settings => this.configure(settings)),
      release: queued(this.queue, async ({ model }) => this.release(model)),
      status: () => this.status(),
    };
  }

  private handler<M extends keyof MethodApi>(
    method: Method<M>,
  ): (params: MethodApi[M]['params'], call: CallContext) => Promise<MethodApi[M]['result']> {
    const { feeds, pictures, activations, tokenizers } = this;
    return queued(this.queue, (params, call, turn) => {
      const opened = this.models.open(params.model);
      const sources = { feeds, pictures, activations, tokenizers };
      return method.compute(params, methodContext(opened, call, turn, sources));
    });
  }

  private configure(settings: EngineSettings): null {
    this.sessions.configure(settings.sessionCacheBytes, settings.threads);
    this.activations.configure(settings.activationCacheBytes);
    return null;
  }

  private release(model: string): null {
    this.models.release(model);
    this.sessions.release(model);
    this.activations.release(model);
    return null;
  }

  private status(): EngineStatus {
    return {
      pid: process.pid,
      residentBytes: process.memoryUsage.rss(),
      sessions: this.sessions.count,
      sessionBytes: this.sessions.bytes,
      activationBytes: this.activations.bytes,
    };
  }
}

/** The list is typed as one method of each name; what the compiler cannot see is that no name is there twice. */
function answersAll(table: object, methods: readonly AnyMethod[]): table is Handlers<MethodApi> {
  return Object.keys(table).length === methods.length;
}
