import * as vscode from 'vscode';
import { layerFacts, layerLabel } from '../../../protocol/layerFacts';
import { COMMANDS } from '../contributions';
import type { Session, ShownLayer } from '../session';
import type { TreeNode } from '../views/layerTreeModel';
import type { Viewer } from '../views/viewer';
import type { Command } from './command';

/**
 * Commands that show a layer. Arguments come from links, trees and pages as (model, layer id, tab); without them the caret or a pick
 * decides.
 */
export const layerCommands = (session: Session, viewer: Viewer): readonly Command[] => [
  {
    id: COMMANDS.visualizeLayer,
    run: async (first, second, tab) => {
      const shown =
        (await layerFrom(session, first, second)) ??
        (await layerAtCaret(session)) ??
        (await pickLayer(session));
      if (!shown) return;
      session.follow.show(shown);
      if (tab === 'heatmap') await viewer.show(shown.model, shown.layer, tab);
      else await viewer.show(shown.model, shown.weightLayer ?? shown.layer);
    },
  },
  {
    id: COMMANDS.explainPrediction,
    run: async () => {
      const shown = await suggestedLayer(session);
      if (shown) await viewer.show(shown.model, shown.layer, 'heatmap');
    },
  },
  {
    id: COMMANDS.pinLayer,
    run: async (first, second, how) => {
      const shown = (await layerFrom(session, first, second)) ?? (await layerAtCaret(session));
      if (!shown) return;
      if (how === 'follow') session.follow.show(shown);
      else session.follow.pin(shown);
      if (how !== 'follow') await vscode.commands.executeCommand('layerLens.sidePanel.focus');
    },
  },
  { id: COMMANDS.unpinLayer, run: async () => session.follow.unpin() },
];

/** The layer whose map says most of a prediction; without a model one is to be chosen first. */
async function suggestedLayer({ server }: Session): Promise<ShownLayer | null> {
  const { model, picture } = await server.active();
  if (model === null) {
    await vscode.commands.executeCommand(COMMANDS.chooseModel);
    return null;
  }
  const { suggestedLayer: suggested } = await server.compute('attributionTargets', {
    model,
    input: picture,
  });
  const { layers } = await server.describe(model);
  const layer = layers.find(({ id }) => id === suggested?.layer) ?? layers.at(-1);
  return layer ? { model, layer } : null;
}

const isTreeNode = (value: unknown): value is TreeNode =>
  typeof value === 'object' && value !== null && 'layer' in value && 'children' in value;

async function layerFrom(
  session: Session,
  first: unknown,
  second: unknown,
): Promise<ShownLayer | null> {
  if (isTreeNode(first) && first.layer) {
    const { model } = await session.server.active();
    return model === null ? null : { model, layer: first.layer };
  }
  if (typeof first !== 'string' || typeof second !== 'string') return null;
  return session.server.request('layerLens/findLayer', { model: first, name: second });
}

async function layerAtCaret(session: Session): Promise<ShownLayer | null> {
  const editor = vscode.window.activeTextEditor;
  if (!editor) return null;
  const { line, character } = editor.selection.active;
  return session.server.request('layerLens/layerAt', {
    uri: editor.document.uri.toString(),
    position: { line, character },
  });
}

async function pickLayer(session: Session): Promise<ShownLayer | null> {
  const { model } = await session.server.active();
  if (model === null) {
    await vscode.commands.executeCommand(COMMANDS.chooseModel);
    return null;
  }
  const { layers } = await session.server.describe(model);
  const items = layers
    .filter(layer => layer.kind !== 'other')
    .map(layer => ({ label: layerLabel(layer), description: layerFacts(layer), layer }));
  const picked = await vscode.window.showQuickPick(items, {
    placeHolder: 'Choose a layer to visualize',
    matchOnDescription: true,
  });
  return picked ? { model, layer: picked.layer } : null;
}
