import type { MethodApi } from './methods';

/** What the engine process is told when it starts. */
export interface EngineSettings {
  /** Threads of one operator; 0 lets the engine take half the cores, -1 leaves the number to ONNX Runtime. */
  readonly threads: number;
  /** Bytes of kept sessions (weights and activations, estimated). */
  readonly sessionCacheBytes: number;
  /** Bytes of kept activations. */
  readonly activationCacheBytes: number;
}

export interface EngineStatus {
  readonly pid: number;
  readonly residentBytes: number;
  readonly sessions: number;
  readonly sessionBytes: number;
  readonly activationBytes: number;
}

/** Calls that the engine process answers besides the methods. */
export interface EngineControlApi {
  configure: { params: EngineSettings; result: null };
  status: { params: null; result: EngineStatus };
  /** Forgets sessions and activations of a model whose file changed or that is closed. */
  release: { params: { readonly model: string }; result: null };
}

/** All calls between the server (or the command line) and the engine. */
export interface EngineApi extends MethodApi, EngineControlApi {}
