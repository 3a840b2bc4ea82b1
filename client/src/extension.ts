import * as vscode from 'vscode';
import { toWireError } from '../../protocol/errors';
import { DisposableStore } from '../../protocol/lifecycle';
import type { Command } from './commands/command';
import { generalCommands } from './commands/generalCommands';
import { layerCommands } from './commands/layerCommands';
import { modelCommands } from './commands/modelCommands';
import { Follow } from './follow';
import { Server } from './server';
import type { Session } from './session';
import { LayerTree } from './views/layerTree';
import { ModelEditor } from './views/modelEditor';
import { SidePanel } from './views/sidePanel';
import { StatusBar } from './views/statusBar';
import { Viewer } from './views/viewer';

const CHOICE_KEY = 'chosen';

interface Choice {
  readonly model: string | null;
  readonly picture: string | null;
}

/** Registers everything and returns; the language server starts in the background. */
export function activate(context: vscode.ExtensionContext): void {
  const owned = new DisposableStore();
  context.subscriptions.push(owned);
  const log = owned.add(vscode.window.createOutputChannel('Layer Lens', { log: true }));
  const chosen = (): Choice =>
    context.workspaceState.get<Choice>(CHOICE_KEY, { model: null, picture: null });
  const server = owned.add(new Server(context, log, chosen));
  const follow = owned.add(new Follow(server));
  const session: Session = {
    extensionUri: context.extensionUri,
    server,
    log,
    follow,
    loaded: new Set(),
  };

  const viewer = owned.add(new Viewer(session));
  const sidePanel = owned.add(new SidePanel(session, context.workspaceState));
  const statusBar = owned.add(new StatusBar(server));
  const layerTree = owned.add(new LayerTree(session));
  owned.add(new ModelEditor(session));

  const choose = async (choice: Partial<Choice>): Promise<void> => {
    await context.workspaceState.update(CHOICE_KEY, { ...chosen(), ...choice });
    await server.request('layerLens/setActive', choice);
  };
  for (const command of [
    ...generalCommands(session, context),
    ...layerCommands(session, viewer),
    ...modelCommands(session, choose, () => {
      sidePanel.refresh();
      void layerTree.reload();
    }),
  ])
    owned.add(registerCommand(command, log));

  owned.add(server.onNotification('layerLens/notice', notice => void showNotice(notice)));
  owned.add(
    vscode.workspace.onDidGrantWorkspaceTrust(
      () => void server.notify('layerLens/trustGranted', {}),
    ),
  );
  void server
    .active()
    .then(state => statusBar.show(state))
    .catch((error: unknown) => log.error(error instanceof Error ? error : String(error)));
}

/** A command whose failure is one message with what to do about it, and a stack in the log. */
function registerCommand({ id, run }: Command, log: vscode.LogOutputChannel): vscode.Disposable {
  return vscode.commands.registerCommand(id, async (...args: unknown[]) => {
    try {
      await run(...args);
    } catch (error) {
      const wire = toWireError(error);
      if (wire.code === 'cancelled') return;
      log.error(`${id}: ${wire.message}${wire.stack ? `\n${wire.stack}` : ''}`);
      await showNotice({
        severity: 'error',
        message: wire.message,
        action: wire.action ?? { title: 'Show Log', command: 'layerLens.showLog' },
      });
    }
  });
}

async function showNotice({
  severity,
  message,
  action,
}: {
  severity: 'information' | 'warning' | 'error';
  message: string;
  action?: { title: string; command: string; arguments?: readonly unknown[] };
}): Promise<void> {
  const show = {
    information: vscode.window.showInformationMessage,
    warning: vscode.window.showWarningMessage,
    error: vscode.window.showErrorMessage,
  }[severity];
  const picked = await show(message, ...(action ? [action.title] : []));
  if (picked !== undefined && action)
    await vscode.commands.executeCommand(action.command, ...(action.arguments ?? []));
}
