import path from 'node:path';
import {
  DidChangeConfigurationNotification,
  DidChangeWatchedFilesNotification,
  FileChangeType,
  ProposedFeatures,
  TextDocuments,
  TextDocumentSyncKind,
  createConnection,
  type Connection,
  type InitializeParams,
  type ServerCapabilities,
} from 'vscode-languageserver/node';
import { TextDocument } from 'vscode-languageserver-textdocument';
import { UserError } from '../../protocol/errors';
import type { MethodApi } from '../../protocol/methods';
import { RUNS_WITHOUT_SESSION } from '../../protocol/methods';
import type { CallOptions } from '../../protocol/rpc';
import type { ServerSettings, ServerStart } from '../../protocol/server';
import { EngineHost } from './engine/engineHost';
import { features } from './features';
import { fileOf } from './features/sourceLayers';
import type { ServerContext } from './serverContext';
import { Active } from './workspace/active';
import { storedChoice } from './workspace/choices';
import { describeModel } from './workspace/describeModel';
import { ModelStore } from './workspace/modelStore';
import type { Choice } from './workspace/preprocessing/facts';
import { DEFAULT_SETTINGS, engineOptions, mergeSettings } from './workspace/settings';

const WATCHED = [
  '**/*.onnx',
  '**/*.{data,bin,weights,onnx_data,pb}',
  '**/*.{json,txt,yaml,names}',
  '**/*.{png,jpg,jpeg,bmp,gif,tif,tiff,webp}',
];
const SIDECARS = /\.(json|txt|yaml|names)$/;

const isServerStart = (value: unknown): value is ServerStart =>
  typeof value === 'object' && value !== null && 'trusted' in value && 'chosen' in value;

const foldersOf = (params: InitializeParams): readonly string[] =>
  (params.workspaceFolders ?? [])
    .filter(folder => folder.uri.startsWith('file:'))
    .map(folder => fileOf(folder.uri));

/** Answers one editor over its connection until the editor ends it. */
function serve(connection: Connection): void {
  const documents = new TextDocuments(TextDocument);
  let settings: ServerSettings = DEFAULT_SETTINGS;

  connection.onInitialize(params => {
    const start: ServerStart = isServerStart(params.initializationOptions)
      ? params.initializationOptions
      : { trusted: false, chosen: { model: null, picture: null }, storage: null };
    const engine = new EngineHost({
      enginePath: path.join(__dirname, 'engine.js'),
      ...engineOptions(settings),
    });
    const models = new ModelStore(async model => {
      const stored = await storedChoice(model, start.storage);
      const configured: Choice = {
        overrides: { '*': settings.preprocessing },
        from: 'setting layerLens.preprocessing',
      };
      return describeModel(model, [configured, ...(stored ? [stored] : [])]);
    });
    const active = new Active(foldersOf(params), start.chosen, start.trusted, () => settings);
    const context: ServerContext = {
      connection,
      documents,
      settings: () => settings,
      models,
      active,
      storage: start.storage,
      compute: (method, args, options) => computeWhenTrusted(engine, active, method, args, options),
      restartEngine: () => engine.restart(),
    };

    engine.onLine(line => connection.console.info(`engine: ${line}`));
    engine.onCrash(crash => {
      connection.console.error(`${crash.message} (${crash.reason})`);
      void connection.sendNotification('layerLens/notice', {
        severity: 'error',
        message: crash.message,
        action: { title: 'Show Log', command: 'layerLens.showLog' },
      });
    });
    models.onChanged(({ model }) => void engine.call('release', { model }).catch(() => null));
    documents.onDidOpen(
      ({ document }) => void active.documentShown(fileOf(document.uri), document.getText()),
    );

    connection.onInitialized(async () => {
      await connection.client.register(DidChangeConfigurationNotification.type, {
        section: 'layerLens',
      });
      await connection.client.register(DidChangeWatchedFilesNotification.type, {
        watchers: WATCHED.map(globPattern => ({ globPattern })),
      });
      await readSettings();
      connection.workspace.onDidChangeWorkspaceFolders(async () => {
        const folders = (await connection.workspace.getWorkspaceFolders()) ?? [];
        await active.rescan(
          folders
            .filter(folder => folder.uri.startsWith('file:'))
            .map(folder => fileOf(folder.uri)),
        );
      });
    });
    const readSettings = async (): Promise<void> => {
      settings = mergeSettings(await connection.workspace.getConfiguration('layerLens'));
      engine.configure(engineOptions(settings));
      models.forgetAll();
      await active.rescan();
    };
    connection.onDidChangeConfiguration(() => void readSettings());
    connection.onDidChangeWatchedFiles(({ changes }) => {
      for (const change of changes) {
        const file = fileOf(change.uri);
        if (SIDECARS.test(file)) models.sidecarEvent(file);
        else models.fileEvent(file);
      }
      const cameOrWent = changes.some(
        change => change.type !== FileChangeType.Changed && !SIDECARS.test(change.uri),
      );
      if (cameOrWent || changes.some(change => change.uri.endsWith('.onnx'))) void active.rescan();
    });
    connection.onShutdown(() => {
      engine.dispose();
      models.dispose();
      active.dispose();
    });

    const capabilities: ServerCapabilities = {
      positionEncoding: 'utf-16',
      textDocumentSync: TextDocumentSyncKind.Incremental,
      workspace: { workspaceFolders: { supported: true, changeNotifications: true } },
    };
    for (const feature of features(context)) {
      Object.assign(capabilities, feature.capabilities);
      feature.register(connection);
    }
    return { capabilities, serverInfo: { name: 'layer-lens' } };
  });

  documents.listen(connection);
  connection.listen();
}

async function computeWhenTrusted<M extends keyof MethodApi>(
  engine: EngineHost,
  active: Active,
  method: M,
  params: MethodApi[M]['params'],
  options?: CallOptions,
): Promise<MethodApi[M]['result']> {
  const runs = !RUNS_WITHOUT_SESSION.has(method) || ('feeds' in params && params.feeds !== null);
  if (runs && !active.mayRun)
    throw new UserError(
      'untrustedWorkspace',
      'Running models waits until this workspace is trusted; structure and filters are shown already.',
      {
        title: 'Manage Trust',
        command: 'layerLens.manageTrust',
      },
    );
  return engine.call(method, params, options);
}

serve(createConnection(ProposedFeatures.all));
