import * as vscode from 'vscode';
import { layerFacts } from '../../../protocol/layerFacts';
import { Emitter, Owner } from '../../../protocol/lifecycle';
import { COMMANDS, CONTEXT_KEYS, VIEWS } from '../contributions';
import type { Session } from '../session';
import { findNode, layerTree, type TreeNode } from './layerTreeModel';

const STRENGTHS = 5;

/** The layers of the active model by module path, each with one of five icons for how strongly it answers to the current input. */
export class LayerTree extends Owner implements vscode.TreeDataProvider<TreeNode> {
  private readonly changed = this.register(new Emitter<undefined>());
  readonly onDidChangeTreeData = this.changed.event;
  private readonly view: vscode.TreeView<TreeNode>;
  private model: string | null = null;
  private roots: readonly TreeNode[] = [];
  private strengths: ReadonlyMap<string, number> = new Map();
  private round = 0;

  constructor(private readonly session: Session) {
    super();
    this.view = this.register(
      vscode.window.createTreeView(VIEWS.layers, { treeDataProvider: this }),
    );
    this.register(this.view.onDidChangeVisibility(() => void this.reload()));
    this.register(
      session.server.onNotification('layerLens/activeChanged', () => void this.reload()),
    );
    this.register(
      session.server.onNotification('layerLens/modelChanged', () => void this.reload()),
    );
    this.register(session.follow.onChanged(shown => void this.reveal(shown?.layer.id ?? null)));
    this.register(
      this.view.onDidChangeSelection(({ selection }) => {
        const layer = selection[0]?.layer;
        if (layer && this.model && this.view.visible)
          session.follow.show({ model: this.model, layer });
      }),
    );
  }

  getChildren(node?: TreeNode): TreeNode[] {
    return [...(node ? node.children : this.roots)];
  }

  getParent(node: TreeNode): TreeNode | null {
    return node.parent;
  }

  getTreeItem(node: TreeNode): vscode.TreeItem {
    const item = new vscode.TreeItem(
      node.label,
      node.children.length > 0
        ? vscode.TreeItemCollapsibleState.Collapsed
        : vscode.TreeItemCollapsibleState.None,
    );
    item.id = node.path;
    if (!node.layer) {
      item.iconPath = new vscode.ThemeIcon('symbol-namespace');
      return item;
    }
    item.contextValue = 'layer';
    item.description = layerFacts(node.layer);
    const strength = this.strengths.get(node.layer.id);
    item.tooltip =
      strength === undefined
        ? item.description
        : `${item.description}\nanswers with ${Math.round(strength * 100)} % of the strongest layer of its kind`;
    item.iconPath =
      strength === undefined ? new vscode.ThemeIcon('circle-outline') : this.strengthIcon(strength);
    item.command = {
      title: 'Show in Side Panel',
      command: COMMANDS.pinLayer,
      arguments: [this.model, node.layer.id, 'follow'],
    };
    return item;
  }

  private strengthIcon(strength: number): { light: vscode.Uri; dark: vscode.Uri } {
    const level = Math.min(STRENGTHS - 1, Math.floor(Math.max(0, strength) * STRENGTHS));
    const uri = (theme: string): vscode.Uri =>
      vscode.Uri.joinPath(this.session.extensionUri, 'media', `strength-${level}-${theme}.svg`);
    return { light: uri('light'), dark: uri('dark') };
  }

  /** Asks for everything again: another model or picture, or a large model that may run now. */
  async reload(): Promise<void> {
    const round = ++this.round;
    const { server } = this.session;
    try {
      const { model, picture, mayRun } = await server.active();
      void vscode.commands.executeCommand('setContext', CONTEXT_KEYS.hasModel, model !== null);
      if (!this.view.visible || round !== this.round) return;
      const description = model === null ? null : await server.describe(model);
      if (round !== this.round) return;
      this.model = model;
      this.roots = description
        ? layerTree(description.layers.filter(layer => layer.kind !== 'other'))
        : [];
      this.view.description = description ? `${description.layers.length} nodes` : '';
      this.strengths = new Map();
      this.changed.fire(undefined);
      const limit =
        vscode.workspace
          .getConfiguration('layerLens')
          .get<number>('engine.automaticRunLimitMB', 300) * 1e6;
      if (
        !description ||
        model === null ||
        picture === null ||
        !mayRun ||
        (description.weightBytes > limit && !this.session.loaded.has(model)) ||
        description.preprocessing.length === 0
      )
        return;
      const { layers, strengths } = await server.compute(
        'layerStrengths',
        { model, input: picture },
        { priority: 'interactive' },
      );
      if (round !== this.round) return;
      this.strengths = new Map(layers.map((layer, index) => [layer, strengths[index] ?? 0]));
      this.changed.fire(undefined);
    } catch (error) {
      this.session.log.warn(`layers: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  private async reveal(id: string | null): Promise<void> {
    const node = id === null ? null : findNode(this.roots, id);
    if (node && this.view.visible) await this.view.reveal(node, { select: true, focus: false });
  }
}
