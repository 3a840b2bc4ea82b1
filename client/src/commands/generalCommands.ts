import * as vscode from 'vscode';
import { COMMANDS } from '../contributions';
import type { Session } from '../session';
import type { Command } from './command';

/** Commands about the extension itself. */
export const generalCommands = (
  session: Session,
  context: vscode.ExtensionContext,
): readonly Command[] => [
  { id: COMMANDS.openSample, run: () => openSample(context) },
  {
    id: COMMANDS.howToExport,
    run: async () => {
      const page = vscode.Uri.joinPath(context.extensionUri, 'media', 'walkthrough', 'export.md');
      await vscode.commands.executeCommand('markdown.showPreview', page);
    },
  },
  {
    id: COMMANDS.manageTrust,
    run: async () => void (await vscode.commands.executeCommand('workbench.trust.manage')),
  },
  {
    id: COMMANDS.restartEngine,
    run: async () => void (await session.server.request('layerLens/restartEngine', null)),
  },
  { id: COMMANDS.restartServer, run: () => session.server.restart() },
  { id: COMMANDS.showLog, run: async () => session.log.show() },
  { id: COMMANDS.showMenu, run: () => showMenu(session) },
];

/** Copies the sample workspace to where it can be written, and opens it. */
async function openSample(context: vscode.ExtensionContext): Promise<void> {
  const source = vscode.Uri.joinPath(context.extensionUri, 'samples', 'shapes');
  const target = vscode.Uri.joinPath(context.globalStorageUri, 'sample');
  const present = await vscode.workspace.fs.stat(target).then(
    () => true,
    () => false,
  );
  if (!present) await vscode.workspace.fs.copy(source, target);
  await vscode.commands.executeCommand('vscode.openFolder', target, {
    forceNewWindow: (vscode.workspace.workspaceFolders?.length ?? 0) > 0,
  });
}

async function showMenu(session: Session): Promise<void> {
  const active = await session.server.active();
  const items = [
    {
      label: '$(symbol-misc) Choose Model…',
      description: active.modelReason,
      command: COMMANDS.chooseModel,
    },
    {
      label: '$(file-media) Choose Input…',
      description: active.pictureReason,
      command: COMMANDS.chooseInput,
    },
    { label: '$(layers) Visualize Layer…', command: COMMANDS.visualizeLayer },
    ...(active.model === null
      ? []
      : [{ label: '$(go-to-file) Open Model', command: COMMANDS.openModel }]),
    {
      label: '$(debug-restart) Restart Engine',
      description: 'ends what is running and frees its memory',
      command: COMMANDS.restartEngine,
    },
    { label: '$(output) Show Log', command: COMMANDS.showLog },
  ];
  const picked = await vscode.window.showQuickPick(items, { placeHolder: 'Layer Lens' });
  if (picked)
    await vscode.commands.executeCommand(
      picked.command,
      ...(picked.command === COMMANDS.openModel ? [active.model] : []),
    );
}
