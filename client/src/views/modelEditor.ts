import path from 'node:path';
import * as vscode from 'vscode';
import { toWireError, UserError } from '../../../protocol/errors';
import { Owner } from '../../../protocol/lifecycle';
import type { ModelEditorSituation, ModelEditorState } from '../../../protocol/views';
import { VIEWS } from '../contributions';
import type { Session } from '../session';
import { PageHost } from './pageHost';

interface ModelDocument extends vscode.CustomDocument {
  /** Kept for the document, not for one of its panels. */
  state: ModelEditorState;
  revision: number;
}

/** The read-only editor for .onnx files: what is in the model, with every layer a way into the viewer. */
export class ModelEditor
  extends Owner
  implements vscode.CustomReadonlyEditorProvider<ModelDocument>
{
  constructor(private readonly session: Session) {
    super();
    this.register(
      vscode.window.registerCustomEditorProvider(VIEWS.modelEditor, this, {
        supportsMultipleEditorsPerDocument: true,
      }),
    );
  }

  openCustomDocument(uri: vscode.Uri): ModelDocument {
    return { uri, state: { search: '', scrollTop: 0 }, revision: 0, dispose: () => undefined };
  }

  resolveCustomEditor(document: ModelDocument, panel: vscode.WebviewPanel): void {
    const page = new PageHost<ModelEditorSituation, ModelEditorState>(panel.webview, {
      page: 'modelEditor',
      extensionUri: this.session.extensionUri,
      server: this.session.server,
      situation: () => this.situation(document),
      onState: state => {
        document.state = state;
      },
    });
    const changed = this.session.server.onNotification('layerLens/modelChanged', ({ model }) => {
      if (model !== document.uri.fsPath) return;
      document.revision++;
      void page.refresh();
    });
    const active = this.session.server.onNotification(
      'layerLens/activeChanged',
      () => void page.refresh(),
    );
    panel.onDidDispose(() => {
      changed.dispose();
      active.dispose();
      page.dispose();
    });
  }

  private async situation({ uri, state, revision }: ModelDocument): Promise<ModelEditorSituation> {
    const base = { state, revision, path: uri.fsPath, label: path.basename(uri.fsPath) };
    try {
      if (uri.scheme !== 'file')
        throw new UserError(
          'fileUnreadable',
          `${base.label} is not on a disk that Layer Lens can read by range: open it from a local or remote folder.`,
        );
      const { mayRun } = await this.session.server.active();
      const description = await this.session.server.describe(uri.fsPath);
      return { ...base, description, mayRun, error: null };
    } catch (error) {
      return { ...base, description: null, mayRun: false, error: toWireError(error) };
    }
  }
}
