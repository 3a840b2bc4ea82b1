import path from 'node:path';
import * as vscode from 'vscode';
import type { LanguageClient } from 'vscode-languageclient/node';
import { unpackBinary } from '../../protocol/binary';
import { CancelledError, fromWireError, type WireError } from '../../protocol/errors';
import { Emitter, Owner } from '../../protocol/lifecycle';
import type { MethodApi } from '../../protocol/methods';
import type { ModelDescription } from '../../protocol/model';
import type { CallOptions } from '../../protocol/rpc';
import type {
  ActiveState,
  ClientNotifications,
  ServerApi,
  ServerNotifications,
  ServerStart,
  ViewMethod,
  ViewParams,
} from '../../protocol/server';
import { HOVER_COMMANDS } from './contributions';

/** Languages whose strings may name a layer or a model; Python is parsed. */
const LANGUAGES = [
  'python',
  'javascript',
  'javascriptreact',
  'typescript',
  'typescriptreact',
  'csharp',
  'java',
  'kotlin',
  'rust',
  'cpp',
  'c',
  'go',
  'yaml',
  'json',
  'jsonc',
  'toml',
];

const NOTIFICATIONS = [
  'layerLens/activeChanged',
  'layerLens/computeProgress',
  'layerLens/modelChanged',
  'layerLens/notice',
] as const;

const isWireError = (value: unknown): value is WireError =>
  typeof value === 'object' && value !== null && 'code' in value && 'message' in value;

const fromBase64 = (text: string): Uint8Array => Buffer.from(text, 'base64');

/** The language server as the rest of the extension sees it: typed requests, and what it says by itself. Started on first use. */
export class Server extends Owner {
  private readonly notified = this.register(
    new Emitter<
      {
        [N in keyof ServerNotifications]: {
          readonly name: N;
          readonly value: ServerNotifications[N];
        };
      }[keyof ServerNotifications]
    >(),
  );
  private starting: Promise<LanguageClient> | null = null;
  private client: LanguageClient | null = null;
  private latest: ActiveState | null = null;
  private readonly described = new Map<string, Promise<ModelDescription>>();
  private nextProgress = 1;

  constructor(
    private readonly context: vscode.ExtensionContext,
    private readonly log: vscode.LogOutputChannel,
    private readonly chosen: () => ServerStart['chosen'],
  ) {
    super();
    this.onNotification('layerLens/activeChanged', state => {
      this.latest = state;
    });
    this.onNotification('layerLens/modelChanged', ({ model }) => this.described.delete(model));
  }

  onNotification<N extends keyof ServerNotifications>(
    name: N,
    listener: (value: ServerNotifications[N]) => void,
  ): vscode.Disposable {
    return this.notified.event(event => {
      if (isNotification(event, name)) listener(event.value);
    });
  }

  start(): Promise<LanguageClient> {
    this.starting ??= this.launch();
    return this.starting;
  }

  async request<M extends keyof ServerApi>(
    method: M,
    params: ServerApi[M]['params'],
    signal?: AbortSignal,
  ): Promise<ServerApi[M]['result']> {
    const client = await this.start();
    const source = new vscode.CancellationTokenSource();
    const onAbort = (): void => source.cancel();
    if (signal?.aborted) throw new CancelledError();
    signal?.addEventListener('abort', onAbort, { once: true });
    try {
      return await client.sendRequest<ServerApi[M]['result']>(method, params, source.token);
    } catch (error) {
      if (signal?.aborted) throw new CancelledError();
      if (error instanceof Error && 'data' in error && isWireError(error.data))
        throw fromWireError({ ...error.data, message: withShortPaths(error.data.message) });
      throw error;
    } finally {
      signal?.removeEventListener('abort', onAbort);
      source.dispose();
    }
  }

  /** Runs a method in the engine on behalf of a view. */
  async compute<M extends ViewMethod>(
    method: M,
    params: ViewParams<M>,
    { signal, priority = 'view', onProgress }: CallOptions = {},
  ): Promise<MethodApi[M]['result']> {
    const progress = this.nextProgress++;
    // The compiler does not see that method and params belong together, nor what comes over the wire: ViewParams<M> and MethodApi say so.
    const request = {
      method,
      params,
      priority,
      ...(onProgress ? { progress } : {}),
    } as ServerApi['layerLens/compute']['params'];
    const listening = this.onNotification(
      'layerLens/computeProgress',
      ({ progress: of, ...told }) => {
        if (of === progress)
          onProgress?.({ ...told, partial: unpackBinary(told.partial, fromBase64) });
      },
    );
    try {
      const packed = await this.request('layerLens/compute', request, signal);
      return unpackBinary(packed, fromBase64) as MethodApi[M]['result'];
    } finally {
      listening.dispose();
    }
  }

  async notify<N extends keyof ClientNotifications>(
    name: N,
    value: ClientNotifications[N],
  ): Promise<void> {
    await (await this.start()).sendNotification(name, value);
  }

  /** Active model and picture: as the server last said by itself, else asked for. An answer that a newer notice overtook is not used. */
  async active(): Promise<ActiveState> {
    const asked = this.latest ?? (await this.request('layerLens/getActive', null));
    return this.latest ?? asked;
  }

  /** What is in a model, asked for once until the server says that it changed. */
  describe(model: string): Promise<ModelDescription> {
    const known = this.described.get(model);
    if (known) return known;
    const asked = this.request('layerLens/describeModel', { model });
    this.described.set(model, asked);
    asked.catch(() => this.described.delete(model));
    return asked;
  }

  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  async stop(): Promise<void> {
    const client = this.client;
    this.client = null;
    this.starting = null;
    this.latest = null;
    this.described.clear();
    await client?.dispose();
  }

  override dispose(): void {
    void this.stop();
    super.dispose();
  }

  private async launch(): Promise<LanguageClient> {
    const { LanguageClient: Client, TransportKind } = await import('vscode-languageclient/node');
    const module = path.join(this.context.extensionPath, 'dist', 'server.js');
    const start: ServerStart = {
      trusted: vscode.workspace.isTrusted,
      chosen: this.chosen(),
      storage: this.context.storageUri?.fsPath ?? null,
    };
    const client = new Client(
      'layerLens',
      'Layer Lens',
      { module, transport: TransportKind.ipc },
      {
        documentSelector: LANGUAGES.flatMap(language => [
          { scheme: 'file', language },
          { scheme: 'vscode-notebook-cell', language },
        ]),
        initializationOptions: start,
        outputChannel: this.log,
        markdown: { isTrusted: { enabledCommands: HOVER_COMMANDS } },
      },
    );
    // Name and value belong together by ServerNotifications, which the compiler does not follow through a loop.
    for (const name of NOTIFICATIONS)
      client.onNotification(name, (value: ServerNotifications[typeof name]) =>
        this.notified.fire({ name, value } as Parameters<typeof this.notified.fire>[0]),
      );
    this.client = client;
    await client.start();
    return client;
  }
}

/** Files of the workspace by their paths in it: a view is too narrow for the whole path, and its tooltips and the log have that. */
function withShortPaths(message: string): string {
  const folders = vscode.workspace.workspaceFolders ?? [];
  return folders.reduce(
    (text, { uri }) => text.replaceAll(`${uri.fsPath}${path.sep}`, ''),
    message,
  );
}

function isNotification<N extends keyof ServerNotifications>(
  event: { readonly name: keyof ServerNotifications },
  name: N,
): event is { readonly name: N; readonly value: ServerNotifications[N] } {
  return event.name === name;
}
