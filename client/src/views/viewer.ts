import path from 'node:path';
import * as vscode from 'vscode';
import { toWireError } from '../../../protocol/errors';
import { layerFacts, layerLabel } from '../../../protocol/layerFacts';
import { Owner } from '../../../protocol/lifecycle';
import type { LayerInfo } from '../../../protocol/model';
import type { ViewerSituation, ViewerState, ViewerTab } from '../../../protocol/views';
import { VIEWS } from '../contributions';
import type { Session } from '../session';
import { PageHost } from './pageHost';

const FIRST_STATE: Omit<ViewerState, 'model' | 'layer' | 'input'> = {
  tab: 'filters',
  colorMap: 'auto',
  scale: 'own',
  sort: 'index',
  opacity: 0.6,
  channel: null,
  filterView: null,
  slice: 0,
  scrollTop: 0,
};

/** The viewer beside the code. One panel is reused; what it shows is kept in its state, so that it comes back after a reload. */
export class Viewer extends Owner implements vscode.WebviewPanelSerializer {
  private open: OpenViewer | null = null;

  constructor(private readonly session: Session) {
    super();
    this.register(vscode.window.registerWebviewPanelSerializer(VIEWS.viewer, this));
  }

  /** Shows a layer, in the viewer that is open or a new one beside the code; in the tab that was in front where none is given. */
  async show(model: string, layer: LayerInfo, tab?: ViewerTab): Promise<void> {
    const active = await this.session.server.active();
    const needsMaps = !hasWeights(layer) && this.open?.tab !== 'heatmap';
    const shown = {
      ...{
        model,
        layer: layer.id,
        input: active.picture,
        channel: null,
        enlarged: false,
        filterView: null,
        slice: 0,
        scrollTop: 0,
      },
      ...(tab ? { tab } : needsMaps ? { tab: 'maps' as const } : {}),
    };
    if (this.open) {
      this.open.update(shown);
      this.open.panel.reveal(undefined, true);
      return;
    }
    const panel = vscode.window.createWebviewPanel(VIEWS.viewer, 'Layer Lens', {
      viewColumn: vscode.ViewColumn.Beside,
      preserveFocus: true,
    });
    this.adopt(panel, { ...FIRST_STATE, ...shown });
  }

  async deserializeWebviewPanel(panel: vscode.WebviewPanel, state: unknown): Promise<void> {
    const restored = isViewerState(state) ? state : null;
    if (restored) this.adopt(panel, restored);
    else panel.dispose();
  }

  private adopt(panel: vscode.WebviewPanel, state: ViewerState): void {
    const open = this.register(new OpenViewer(this.session, panel, state));
    this.open = open;
    panel.onDidDispose(() => {
      open.dispose();
      if (this.open === open) this.open = null;
    });
  }
}

/** Layers without weights have nothing to show in the first tab. */
const hasWeights = (layer: LayerInfo): boolean =>
  layer.parameters.some(parameter => parameter.shape.length > 1);

const isViewerState = (state: unknown): state is ViewerState =>
  typeof state === 'object' &&
  state !== null &&
  'model' in state &&
  typeof state.model === 'string' &&
  'layer' in state &&
  typeof state.layer === 'string' &&
  'tab' in state;

/** One panel with its page. */
class OpenViewer extends Owner {
  private readonly page: PageHost<ViewerSituation, ViewerState>;
  private revision = 0;

  constructor(
    private readonly session: Session,
    readonly panel: vscode.WebviewPanel,
    private state: ViewerState,
  ) {
    super();
    const icon = (theme: string): vscode.Uri =>
      vscode.Uri.joinPath(session.extensionUri, 'media', `layerLens-${theme}.svg`);
    panel.iconPath = { light: icon('light'), dark: icon('dark') };
    this.page = this.register(
      new PageHost<ViewerSituation, ViewerState>(panel.webview, {
        page: 'viewer',
        extensionUri: session.extensionUri,
        server: session.server,
        situation: () => this.situation(),
        onState: next => {
          const moved = next.layer !== this.state.layer;
          this.state = next;
          if (moved) void this.page.refresh();
        },
      }),
    );
    this.register(
      session.server.onNotification('layerLens/modelChanged', ({ model }) => {
        if (model !== this.state.model) return;
        this.revision++;
        void this.page.refresh();
      }),
    );
    this.register(
      session.server.onNotification('layerLens/activeChanged', ({ picture }) => {
        this.update({ input: picture });
      }),
    );
    this.register(
      panel.onDidChangeViewState(() => {
        if (panel.visible) void this.page.refresh();
        else this.page.abandon();
      }),
    );
  }

  get tab(): ViewerTab {
    return this.state.tab;
  }

  update(change: Partial<ViewerState>): void {
    this.state = { ...this.state, ...change };
    void this.page.refresh();
  }

  private async situation(): Promise<ViewerSituation> {
    const { state } = this;
    const { mayRun } = await this.session.server.active().catch(() => ({ mayRun: false }));
    const shared = {
      state,
      modelLabel: path.basename(state.model),
      inputLabel: state.input === null ? null : path.basename(state.input),
      mayRun,
      revision: this.revision,
    };
    try {
      const description = await this.session.server.describe(state.model);
      const layer = description.layers.find(candidate => candidate.id === state.layer) ?? null;
      this.panel.title = `${layer ? layerLabel(layer) : state.layer} — ${path.basename(state.model)}`;
      return {
        ...shared,
        layer,
        layers: description.layers.map(candidate => ({
          id: candidate.id,
          label: layerLabel(candidate),
          facts: layerFacts(candidate),
          isMinor: candidate.kind === 'other',
        })),
        error: layer
          ? null
          : {
              code: 'layerNotFound',
              message: `${path.basename(state.model)} has no layer “${state.layer}” any more: choose another one.`,
              action: { title: 'Visualize Layer…', command: 'layerLens.visualizeLayer' },
            },
        labels: description.labels?.names ?? null,
      };
    } catch (error) {
      return { ...shared, layer: null, layers: [], error: toWireError(error), labels: null };
    }
  }
}
