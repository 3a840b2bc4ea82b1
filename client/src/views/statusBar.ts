import path from 'node:path';
import * as vscode from 'vscode';
import { Owner } from '../../../protocol/lifecycle';
import type { ActiveState } from '../../../protocol/server';
import { COMMANDS } from '../contributions';
import type { Server } from '../server';

/** The active model and input picture; a click changes them. Hidden where the workspace has no model. */
export class StatusBar extends Owner {
  private readonly item: vscode.StatusBarItem;

  constructor(server: Server) {
    super();
    this.item = this.register(
      vscode.window.createStatusBarItem('layerLens.active', vscode.StatusBarAlignment.Left, 10),
    );
    this.item.name = 'Layer Lens';
    this.item.command = COMMANDS.showMenu;
    this.register(server.onNotification('layerLens/activeChanged', state => this.show(state)));
  }

  show(state: ActiveState): void {
    if (state.model === null) return this.item.hide();
    const model = path.basename(state.model);
    const picture = state.picture === null ? 'no input' : path.basename(state.picture);
    this.item.text = `$(layers-active) ${model} · ${picture}`;
    this.item.accessibilityInformation = { label: `Layer Lens: model ${model}, input ${picture}` };
    const lines = [
      `Model: ${state.model} (${state.modelReason})`,
      `Input: ${state.picture ?? 'none'}${state.picture === null ? '' : ` (${state.pictureReason})`}`,
    ];
    if (!state.mayRun) lines.push('Models do not run until this workspace is trusted.');
    this.item.tooltip = lines.join('\n');
    this.item.show();
  }
}
