import { EngineHost } from '../engine/engineHost';
import type { EngineApi } from '../../../protocol/engine';
import { Owner } from '../../../protocol/lifecycle';
import type { MethodName, Params, Result } from '../../../protocol/rpc';
import type { CommandContext } from './command';
import { ProgressBar } from './progressBar';

/**
 * What the engine may keep; a command asks for each thing once. Threads are those of a plain session of ONNX Runtime: their number decides
 * the last bits of some convolutions, and a command has the machine to itself.
 */
const SETTINGS = { threads: -1, sessionCacheBytes: 2 ** 30, activationCacheBytes: 2 ** 28 };

/** The engine for the time of one command. Disposing ends its process. */
export class EngineSession extends Owner {
  private readonly host: EngineHost;
  private readonly progress: ProgressBar;

  constructor(private readonly context: CommandContext) {
    super();
    this.progress = this.register(new ProgressBar(context.terminal));
    this.host = this.register(
      new EngineHost({ enginePath: context.enginePath, settings: SETTINGS, memoryLimitBytes: 0 }),
    );
  }

  call<M extends MethodName<EngineApi>>(
    method: M,
    params: Params<EngineApi, M>,
  ): Promise<Result<EngineApi, M>> {
    return this.host.call(method, params, {
      signal: this.context.signal,
      onProgress: this.progress.show,
    });
  }
}

/** Runs what needs the engine and ends its process whatever happens. */
export async function withEngine<T>(
  context: CommandContext,
  use: (engine: EngineSession) => Promise<T>,
): Promise<T> {
  const engine = new EngineSession(context);
  try {
    return await use(engine);
  } finally {
    engine.dispose();
  }
}
