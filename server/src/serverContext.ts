import type { Connection, TextDocuments } from 'vscode-languageserver/node';
import type { TextDocument } from 'vscode-languageserver-textdocument';
import type { MethodApi } from '../../protocol/methods';
import type { CallOptions } from '../../protocol/rpc';
import type { ServerSettings } from '../../protocol/server';
import type { Active } from './workspace/active';
import type { ModelStore } from './workspace/modelStore';

/** What the features of the server share. */
export interface ServerContext {
  readonly connection: Connection;
  readonly documents: TextDocuments<TextDocument>;
  readonly settings: () => ServerSettings;
  readonly models: ModelStore;
  readonly active: Active;
  /** Folder for choices that cannot be kept beside the model; null without one. */
  readonly storage: string | null;
  /** Runs a method in the engine. Throws `untrustedWorkspace` for methods that run a model while the workspace is not trusted. */
  compute<M extends keyof MethodApi>(
    method: M,
    params: MethodApi[M]['params'],
    options?: CallOptions,
  ): Promise<MethodApi[M]['result']>;
  restartEngine(): void;
}
