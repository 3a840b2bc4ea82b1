import path from 'node:path';
import * as vscode from 'vscode';
import { toWireError } from '../../../protocol/errors';
import { layerLabel } from '../../../protocol/layerFacts';
import { Owner } from '../../../protocol/lifecycle';
import type { SidePanelSituation, SidePanelState } from '../../../protocol/views';
import { VIEWS } from '../contributions';
import type { Session } from '../session';
import { PageHost } from './pageHost';

const STATE_KEY = 'sidePanelState';
const FIRST_STATE: SidePanelState = {
  opacity: 0.6,
  colorMap: 'inferno',
  pinned: false,
  method: 'grad-cam',
  target: null,
};

/** The heatmap that follows the cursor. */
export class SidePanel extends Owner implements vscode.WebviewViewProvider {
  private page: PageHost<SidePanelSituation, SidePanelState> | null = null;
  private view: vscode.WebviewView | null = null;
  private revision = 0;

  constructor(
    private readonly session: Session,
    private readonly memento: vscode.Memento,
  ) {
    super();
    this.register(vscode.window.registerWebviewViewProvider(VIEWS.sidePanel, this));
    this.register(session.follow.onChanged(() => this.refresh()));
    this.register(session.server.onNotification('layerLens/activeChanged', () => this.refresh()));
    this.register(
      session.server.onNotification('layerLens/modelChanged', () => {
        this.revision++;
        this.refresh();
      }),
    );
  }

  resolveWebviewView(view: vscode.WebviewView): void {
    this.view = view;
    const page = new PageHost<SidePanelSituation, SidePanelState>(view.webview, {
      page: 'sidePanel',
      extensionUri: this.session.extensionUri,
      server: this.session.server,
      situation: () => this.situation(),
      onState: state => this.stateChanged(state),
    });
    this.page = page;
    this.register(page);
    view.onDidChangeVisibility(() => {
      if (view.visible) this.refresh();
      else page.abandon();
    });
    view.onDidDispose(() => {
      page.dispose();
      this.page = null;
      this.view = null;
    });
  }

  /** Asks for the situation again: another layer, model, picture, or a model that may load now. */
  refresh(): void {
    if (this.view?.visible) void this.page?.refresh();
  }

  private stateChanged(state: SidePanelState): void {
    void this.memento.update(STATE_KEY, state);
    const { follow } = this.session;
    if (state.pinned && !follow.pinned && follow.shown) follow.pin(follow.shown);
    if (!state.pinned && follow.pinned) follow.unpin();
  }

  private async situation(): Promise<SidePanelSituation> {
    const { follow, server, loaded } = this.session;
    // What was kept by an older version lacks what is new.
    const kept = this.memento.get<Partial<SidePanelState>>(STATE_KEY, {});
    const none = { layer: null, layerLabel: null, needsLoad: false, error: null, labels: null };
    const base = {
      state: { ...FIRST_STATE, ...kept, pinned: follow.pinned },
      revision: this.revision,
    };
    try {
      const active = await server.active();
      const model = follow.shown?.model ?? active.model;
      const shared = {
        ...base,
        model,
        modelLabel: model && path.basename(model),
        input: active.picture,
        inputLabel: active.picture && path.basename(active.picture),
        mayRun: active.mayRun,
      };
      if (model === null) return { ...shared, ...none };
      const description = await server.describe(model);
      const limit =
        vscode.workspace
          .getConfiguration('layerLens')
          .get<number>('engine.automaticRunLimitMB', 300) * 1e6;
      const layer =
        description.layers.find(candidate => candidate.id === follow.shown?.layer.id) ?? null;
      return {
        ...shared,
        layer,
        layerLabel: layer && layerLabel(layer),
        needsLoad: description.weightBytes > limit && !loaded.has(model),
        error: null,
        labels: description.labels?.names ?? null,
      };
    } catch (error) {
      return {
        ...base,
        ...none,
        model: follow.shown?.model ?? null,
        modelLabel: null,
        input: null,
        inputLabel: null,
        mayRun: false,
        error: toWireError(error),
      };
    }
  }
}
