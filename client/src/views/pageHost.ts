import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';
import { UserError } from '../../../protocol/errors';
import { Owner } from '../../../protocol/lifecycle';
import { RpcServer, type CallContext, type Handlers } from '../../../protocol/rpc';
import type { MethodApi } from '../../../protocol/methods';
import type { ViewMethod, ViewParams } from '../../../protocol/server';
import {
  isPageCommand,
  type FromPage,
  type PageActionApi,
  type PageApi,
  type ToPage,
} from '../../../protocol/views';
import type { Server } from '../server';

export type PageName = 'viewer' | 'sidePanel' | 'modelEditor';

export interface PageOptions<Situation, State> {
  readonly page: PageName;
  readonly extensionUri: vscode.Uri;
  readonly server: Server;
  /** The whole situation, asked for whenever the page is ready and whenever `refresh` says it changed. */
  situation(): Promise<Situation>;
  /** The page's own state changed. */
  onState(state: State): void;
}

/** The extension's end of a page: serves its HTML, answers its calls, and posts its situation. Nothing is posted before the page says it is ready. */
export class PageHost<Situation, State> extends Owner {
  private ready = false;
  private round = 0;
  private readonly calls: RpcServer<PageApi>;

  constructor(
    private readonly webview: vscode.Webview,
    private readonly options: PageOptions<Situation, State>,
  ) {
    super();
    this.calls = this.register(
      new RpcServer<PageApi>(this.handlers(), message => void webview.postMessage(message)),
    );
    webview.options = {
      enableScripts: true,
      localResourceRoots: [vscode.Uri.joinPath(options.extensionUri, 'dist', 'webview')],
    };
    this.register(webview.onDidReceiveMessage((message: unknown) => this.receive(message)));
    webview.html = this.html();
  }

  /** Posts the situation as it is now; of several refreshes under way only the last one posts. */
  async refresh(): Promise<void> {
    if (!this.ready) return;
    const round = ++this.round;
    const situation = await this.options.situation();
    if (round !== this.round) return;
    const message: ToPage<Situation> = { kind: 'situation', situation };
    await this.webview.postMessage(message);
  }

  /** Ends what the page asked for: it is hidden, and asks again when it is shown. */
  abandon(): void {
    this.calls.dispose();
  }

  private receive(message: unknown): void {
    if (!isFromPage<State>(message)) return;
    if (message.kind === 'ready') {
      // What a page before this one asked for has nobody to answer to.
      this.abandon();
      this.ready = true;
      void this.refresh();
    } else if (message.kind === 'state') this.options.onState(message.state);
    else this.calls.receive(message);
  }

  private handlers(): Handlers<PageApi> {
    const { server } = this.options;
    const relay =
      <M extends ViewMethod>(method: M) =>
      (params: ViewParams<M>, call: CallContext): Promise<MethodApi[M]['result']> =>
        server.compute(method, params, {
          signal: call.signal,
          priority: call.priority,
          onProgress: progress => call.report(progress),
        });
    return {
      filters: relay('filters'),
      weights: relay('weights'),
      featureMaps: relay('featureMaps'),
      featureMapTiles: relay('featureMapTiles'),
      channel: relay('channel'),
      probe: relay('probe'),
      recompute: relay('recompute'),
      activationHeatmap: relay('activationHeatmap'),
      layerStrengths: relay('layerStrengths'),
      picture: relay('picture'),
      predict: relay('predict'),
      renderGrid: relay('renderGrid'),
      explain: relay('explain'),
      layerHeatmaps: relay('layerHeatmaps'),
      renderHeatmap: relay('renderHeatmap'),
      attributionTargets: relay('attributionTargets'),
      attention: relay('attention'),
      attentionMatrices: relay('attentionMatrices'),
      attentionToken: relay('attentionToken'),
      attentionMap: relay('attentionMap'),
      headAblation: relay('headAblation'),
      describeModel: ({ model }) => server.describe(model),
      saveFile,
      chooseFile,
      copyText: async ({ text }) => {
        await vscode.env.clipboard.writeText(text);
        return null;
      },
      runCommand: async ({ command, arguments: args }) => {
        if (!isPageCommand(command)) throw new UserError('usage', `A page may not run ${command}.`);
        await vscode.commands.executeCommand(command, ...args.map(String));
        return null;
      },
    };
  }

  private html(): string {
    const { page, extensionUri } = this.options;
    const nonce = randomBytes(16).toString('base64');
    const uri = (file: string): string =>
      this.webview
        .asWebviewUri(vscode.Uri.joinPath(extensionUri, 'dist', 'webview', file))
        .toString();
    const source = this.webview.cspSource;
    const policy = `default-src 'none'; script-src 'nonce-${nonce}'; style-src ${source} 'nonce-${nonce}'; img-src ${source} blob: data:; font-src ${source}`;
    return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta property="csp-nonce" content="${nonce}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="${uri('codicon.css')}" id="vscode-codicon-stylesheet">
<link rel="stylesheet" href="${uri(`${page}.css`)}">
<title>Layer Lens</title>
</head>
<body class="${page}">
<main id="app"></main>
<script nonce="${nonce}" src="${uri(`${page}.js`)}"></script>
</body>
</html>`;
  }
}

const KINDS: ReadonlySet<unknown> = new Set(['ready', 'state', 'call', 'cancel']);

const isFromPage = <State>(message: unknown): message is FromPage<State> =>
  typeof message === 'object' && message !== null && 'kind' in message && KINDS.has(message.kind);

async function chooseFile({
  title,
  extensions,
}: PageActionApi['chooseFile']['params']): Promise<string | null> {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  const [chosen] =
    (await vscode.window.showOpenDialog({
      title,
      ...(folder ? { defaultUri: folder } : {}),
      filters: { Files: [...extensions] },
    })) ?? [];
  return chosen?.fsPath ?? null;
}

async function saveFile({
  suggestedName,
  kind,
  bytes,
}: PageActionApi['saveFile']['params']): Promise<boolean> {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  const name = suggestedName.replaceAll(/[^\w.-]+/g, '_');
  const target = await vscode.window.showSaveDialog({
    ...(folder ? { defaultUri: vscode.Uri.joinPath(folder, name) } : {}),
    filters: { [kind.toUpperCase()]: [kind] },
  });
  if (!target) return false;
  await vscode.workspace.fs.writeFile(target, bytes);
  return true;
}
