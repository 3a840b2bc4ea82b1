import * as vscode from 'vscode';
import { Emitter, Owner } from '../../protocol/lifecycle';
import { CONTEXT_KEYS } from './contributions';
import type { Server } from './server';
import type { Session, ShownLayer } from './session';

/** A caret that moves on within this time is not asked about. */
const SETTLE_MS = 15;

/** The layer that the caret is in: moving through the code moves it, pinning holds it. */
export class Follow extends Owner implements Readonly<Session['follow']> {
  private readonly changed = this.register(new Emitter<ShownLayer | null>());
  readonly onChanged = this.changed.event;
  shown: ShownLayer | null = null;
  pinned = false;
  private timer: NodeJS.Timeout | undefined;
  private asking: AbortController | null = null;
  private activeModel: string | null = null;

  constructor(private readonly server: Server) {
    super();
    this.register(
      vscode.window.onDidChangeTextEditorSelection(({ textEditor }) => this.caretMoved(textEditor)),
    );
    this.register(vscode.window.onDidChangeActiveTextEditor(editor => this.editorShown(editor)));
    this.register(
      server.onNotification('layerLens/activeChanged', ({ model }) => this.modelChosen(model)),
    );
    this.register({ dispose: () => clearTimeout(this.timer) });
    this.editorShown(editorInSight());
  }

  show(layer: ShownLayer | null): void {
    const same = layer?.model === this.shown?.model && layer?.layer.id === this.shown?.layer.id;
    this.shown = layer;
    if (!same) this.changed.fire(layer);
  }

  pin(layer: ShownLayer): void {
    this.setPinned(true);
    this.show(layer);
  }

  unpin(): void {
    this.setPinned(false);
    this.editorShown(editorInSight());
  }

  private setPinned(pinned: boolean): void {
    this.pinned = pinned;
    void vscode.commands.executeCommand('setContext', CONTEXT_KEYS.pinned, pinned);
    this.changed.fire(this.shown);
  }

  private editorShown(editor: vscode.TextEditor | undefined): void {
    if (!editor || !isSource(editor.document)) return;
    void this.server.notify('layerLens/documentShown', { uri: editor.document.uri.toString() });
    this.caretMoved(editor);
  }

  /** Another model has another layer at the caret; without a model there is none. */
  private modelChosen(model: string | null): void {
    if (model === this.activeModel) return;
    this.activeModel = model;
    const editor = editorInSight();
    if (model === null) this.show(null);
    else if (editor) this.caretMoved(editor);
  }

  private caretMoved(editor: vscode.TextEditor): void {
    if (this.pinned || !isSource(editor.document)) return;
    if (
      !vscode.workspace
        .getConfiguration('layerLens', editor.document)
        .get<boolean>('sidePanel.followCursor', true)
    )
      return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.ask(editor), SETTLE_MS);
  }

  private async ask(editor: vscode.TextEditor): Promise<void> {
    this.asking?.abort();
    const asking = new AbortController();
    this.asking = asking;
    try {
      const { line, character } = editor.selection.active;
      const target = await this.server.request(
        'layerLens/layerAt',
        { uri: editor.document.uri.toString(), position: { line, character } },
        asking.signal,
      );
      if (target && !this.pinned && !asking.signal.aborted) this.show(target);
    } catch {
      // a position that could not be asked about leaves the last picture as it is; the server logs why
    }
  }
}

/** The editor with the caret; after a reload with the viewer in front, the code beside it. */
const editorInSight = (): vscode.TextEditor | undefined =>
  vscode.window.activeTextEditor ??
  vscode.window.visibleTextEditors.find(({ document }) => isSource(document));

const isSource = (document: vscode.TextDocument): boolean =>
  document.uri.scheme === 'file' || document.uri.scheme === 'vscode-notebook-cell';
