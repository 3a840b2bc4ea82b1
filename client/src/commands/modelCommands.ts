import path from 'node:path';
import * as vscode from 'vscode';
import { COMMANDS, VIEWS } from '../contributions';
import type { Session } from '../session';
import type { Command } from './command';
import { editPreprocessing } from './editPreprocessing';

export const PICTURE_TYPES = ['png', 'jpg', 'jpeg', 'bmp', 'gif', 'tif', 'tiff', 'webp'];

/** Commands that decide which model and which input everything shows. */
export const modelCommands = (
  session: Session,
  choose: (choice: { model?: string | null; picture?: string | null }) => Promise<void>,
  refresh: () => void,
): readonly Command[] => [
  {
    id: COMMANDS.openModel,
    run: async model => {
      if (typeof model === 'string')
        await vscode.commands.executeCommand(
          'vscode.openWith',
          vscode.Uri.file(model),
          VIEWS.modelEditor,
        );
    },
  },
  {
    id: COMMANDS.chooseModel,
    run: async () => {
      const models = await session.server.request('layerLens/listModels', null);
      const { model: active } = await session.server.active();
      const items = models.map(model => ({
        label: path.basename(model.path),
        description: `${model.label} · ${sizeText(model.bytes)}`,
        path: model.path,
      }));
      const picked = await pick(items, active, 'Choose the model that everything shows', {
        onnx: ['onnx'],
      });
      if (picked !== undefined) await choose({ model: picked });
    },
  },
  {
    id: COMMANDS.chooseInput,
    run: async () => {
      const pictures = await session.server.request('layerLens/listPictures', null);
      const { picture: active } = await session.server.active();
      const items = pictures.map(picture => ({
        label: path.basename(picture.path),
        description: picture.label,
        path: picture.path,
      }));
      const picked = await pick(items, active, 'Choose the input picture', {
        Inputs: [...PICTURE_TYPES, 'npy'],
      });
      if (picked !== undefined) await choose({ picture: picked });
    },
  },
  {
    id: COMMANDS.useAsModel,
    run: async uri => (uri instanceof vscode.Uri ? choose({ model: uri.fsPath }) : undefined),
  },
  {
    id: COMMANDS.useAsInput,
    run: async uri => (uri instanceof vscode.Uri ? choose({ picture: uri.fsPath }) : undefined),
  },
  {
    id: COMMANDS.loadModel,
    run: async given => {
      const model = await modelFrom(session, given);
      if (model === null) return;
      session.loaded.add(model);
      await session.server.notify('layerLens/modelWanted', { model });
      refresh();
    },
  },
  {
    id: COMMANDS.editPreprocessing,
    run: async given => {
      const model = await modelFrom(session, given);
      if (model !== null) await editPreprocessing(session.server, model);
    },
  },
];

/** The model of a page's button, else the one whose editor is in front, else the one that is shown. */
const modelFrom = async (session: Session, given: unknown): Promise<string | null> =>
  typeof given === 'string'
    ? given
    : (modelInFront() ?? session.follow.shown?.model ?? (await session.server.active()).model);

function modelInFront(): string | null {
  const input = vscode.window.tabGroups.activeTabGroup.activeTab?.input;
  return input instanceof vscode.TabInputCustom && input.viewType === VIEWS.modelEditor
    ? input.uri.fsPath
    : null;
}

interface PathItem extends vscode.QuickPickItem {
  readonly path: string | null;
}

const sizeText = (bytes: number): string =>
  bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;

/** A path from a list, the active one first; the automatic choice (null), a file from a dialog, or undefined where the person changed their mind. */
async function pick(
  found: readonly PathItem[],
  active: string | null,
  placeHolder: string,
  filters: Record<string, string[]>,
): Promise<string | null | undefined> {
  const automatic: PathItem = { label: '$(sparkle) Choose automatically', path: null };
  const browse: PathItem = { label: '$(folder-opened) Browse…', path: null };
  const separator: PathItem = { label: '', kind: vscode.QuickPickItemKind.Separator, path: null };
  const first = found
    .filter(item => item.path === active)
    .map(item => ({ ...item, label: `$(check) ${item.label}` }));
  const others = found.filter(item => item.path !== active);
  const picked = await vscode.window.showQuickPick<PathItem>(
    [...first, automatic, browse, separator, ...others],
    { placeHolder, matchOnDescription: true },
  );
  if (picked === undefined) return undefined;
  if (picked !== browse) return picked.path;
  const files = await vscode.window.showOpenDialog({ canSelectMany: false, filters });
  return files?.[0]?.fsPath;
}
