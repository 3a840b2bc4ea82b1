import { fork, type ChildProcess } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import {
  createProtocolConnection,
  IPCMessageReader,
  IPCMessageWriter,
  type InitializeResult,
  type ProtocolConnection,
} from 'vscode-languageserver/node';
import type { ServerApi, ServerNotifications, ServerSettings } from '../../protocol/server';

const root = path.resolve(import.meta.dirname, '../..');

export interface ServerOptions {
  readonly trusted?: boolean;
  readonly settings?: Partial<ServerSettings>;
}

/** The real server process on a copy of the sample workspace, spoken to over its own channel. */
export class ServerProcess {
  readonly notices: ServerNotifications['layerLens/notice'][] = [];
  readonly changes: ServerNotifications['layerLens/modelChanged'][] = [];

  private constructor(
    readonly folder: string,
    readonly child: ChildProcess,
    readonly connection: ProtocolConnection,
    readonly initialized: InitializeResult,
  ) {}

  static async start({
    trusted = true,
    settings = {},
  }: ServerOptions = {}): Promise<ServerProcess> {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'layer-lens-protocol-'));
    cpSync(path.join(root, 'samples', 'shapes'), folder, { recursive: true });
    const child = fork(path.join(root, 'dist', 'server.js'), ['--node-ipc'], { silent: true });
    const connection = createProtocolConnection(
      new IPCMessageReader(child),
      new IPCMessageWriter(child),
    );
    connection.onRequest('client/registerCapability', () => null);
    connection.onRequest(
      'workspace/configuration',
      ({ items }: { readonly items: readonly unknown[] }) => items.map(() => settings),
    );
    connection.listen();
    const initialized = await connection.sendRequest<InitializeResult>('initialize', {
      processId: process.pid,
      rootUri: pathToFileURL(folder).href,
      workspaceFolders: [{ uri: pathToFileURL(folder).href, name: 'shapes' }],
      capabilities: {
        workspace: {
          configuration: true,
          workspaceFolders: true,
          didChangeWatchedFiles: { dynamicRegistration: true },
        },
      },
      initializationOptions: { trusted, chosen: { model: null, picture: null }, storage: null },
    });
    const server = new ServerProcess(folder, child, connection, initialized);
    connection.onNotification(
      'layerLens/notice',
      (notice: ServerNotifications['layerLens/notice']) => void server.notices.push(notice),
    );
    connection.onNotification(
      'layerLens/modelChanged',
      (change: ServerNotifications['layerLens/modelChanged']) => void server.changes.push(change),
    );
    await connection.sendNotification('initialized', {});
    return server;
  }

  path(name: string): string {
    return path.join(this.folder, name);
  }

  uri(name: string): string {
    return pathToFileURL(this.path(name)).href;
  }

  request<M extends keyof ServerApi>(
    method: M,
    params: ServerApi[M]['params'],
  ): Promise<ServerApi[M]['result']> {
    return this.connection.sendRequest<ServerApi[M]['result']>(method, params);
  }

  /** Opens a document with this text, as an editor does. */
  async open(name: string, text: string, languageId = 'python'): Promise<string> {
    const uri = this.uri(name);
    await this.connection.sendNotification('textDocument/didOpen', {
      textDocument: { uri, languageId, version: 1, text },
    });
    return uri;
  }

  /** Writes a file of the workspace and says so, as the editor's watcher does. */
  async write(name: string, bytes: Uint8Array | string): Promise<void> {
    writeFileSync(this.path(name), bytes);
    await this.connection.sendNotification('workspace/didChangeWatchedFiles', {
      changes: [{ uri: this.uri(name), type: 2 }],
    });
  }

  async stop(): Promise<void> {
    await this.connection.sendRequest('shutdown');
    const ended = new Promise(resolve => this.child.once('exit', resolve));
    await this.connection.sendNotification('exit');
    await ended;
    this.connection.dispose();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Position of the `|` in a text, and the text without it. */
export function marked(text: string): {
  readonly text: string;
  readonly position: { readonly line: number; readonly character: number };
} {
  const offset = text.indexOf('|');
  const before = text.slice(0, offset).split('\n');
  return {
    text: text.replace('|', ''),
    position: { line: before.length - 1, character: before.at(-1)?.length ?? 0 },
  };
}

/** Waits until a condition holds. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  for (let waited = 0; waited < 30_000; waited += 50) {
    if (condition()) return;
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  throw new Error(`never happened: ${what}`);
}
