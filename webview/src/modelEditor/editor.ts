import { fromWireError, toWireError } from '../../../protocol/errors';
import type { ModelDescription } from '../../../protocol/model';
import type { ModelEditorSituation, ModelEditorState } from '../../../protocol/views';
import { createAnnouncer } from '../lib/announce';
import { pageRoot } from '../lib/dom';
import { formatCount } from '../lib/format';
import { connectHost, errorAction } from '../lib/host';
import { LayerTable } from './layerTable';
import { layerRows, searchRows } from './model';
import type { LayerRow } from './types';
import { ModelEditorView } from './view';

const SAVE_AFTER_MS = 250;

/** The page of a model: shows what is in the file, opens the viewer for a layer. */
export class ModelEditor {
  private situation: ModelEditorSituation | null = null;
  private state: ModelEditorState | null = null;
  private shown: ModelDescription | null = null;
  private rows: readonly LayerRow[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly announce = createAnnouncer(pageRoot());
  private readonly host = connectHost<ModelEditorSituation, ModelEditorState>(situation =>
    this.take(situation),
  );
  private readonly table = new LayerTable({
    onOpen: row =>
      this.host.run('layerLens.visualizeLayer', this.situation?.path ?? '', row.layer.id),
    onScroll: scrollTop => this.keep({ scrollTop }),
    onSelect: row => this.announce(`${row.name}, ${row.operator}, output ${row.output}`),
  });
  private readonly view = new ModelEditorView(
    {
      search: text => {
        this.keep({ search: text });
        this.fillTable();
      },
      editPreprocessing: () =>
        this.host.run('layerLens.editPreprocessing', this.situation?.path ?? ''),
    },
    this.table.root,
  );

  start(): void {
    pageRoot().append(this.view.root);
  }

  private take(situation: ModelEditorSituation): void {
    const first = this.state === null;
    this.situation = situation;
    this.state ??= situation.state;
    this.view.setTitle(situation.label, situation.path);
    this.view.setWaiting(false);
    if (situation.error) {
      const wire = toWireError(fromWireError(situation.error));
      const action = errorAction(this.host, wire);
      this.view.line.show(wire.message, action ? [action] : []);
    } else this.view.line.hide();
    if (situation.description) this.show(situation.description);
    if (first) {
      this.view.search.value = this.state.search;
      this.table.scrollTo(this.state.scrollTop);
    }
  }

  private show(description: ModelDescription): void {
    const again = this.shown !== null;
    if (JSON.stringify(this.shown) === JSON.stringify(description)) return;
    this.shown = description;
    this.rows = layerRows(description);
    this.view.show(description);
    this.fillTable();
    if (again) this.announce('The model changed and was read again');
  }

  private fillTable(): void {
    const found = searchRows(this.rows, this.state?.search ?? '');
    this.table.set(
      found,
      this.rows.some(row => row.source !== ''),
    );
    const all = formatCount(this.rows.length);
    this.view.setCount(
      found.length === this.rows.length
        ? `${all} layers`
        : `${formatCount(found.length)} of ${all} layers`,
    );
  }

  private keep(patch: Partial<ModelEditorState>): void {
    if (!this.state) return;
    this.state = { ...this.state, ...patch };
    const { state } = this;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.host.saveState(state), SAVE_AFTER_MS);
  }
}
