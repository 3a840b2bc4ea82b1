import { element, oncePerFrame } from '../lib/dom';
import { COLUMNS, moveRow, ROW_HEIGHT, rowWindow } from './model';
import type { LayerRow } from './types';

export interface LayerTableOptions {
  onOpen(row: LayerRow): void;
  onScroll(scrollTop: number): void;
  onSelect(row: LayerRow): void;
}

/** A table of any length: only the lines around the visible ones are in the page. */
export class LayerTable {
  readonly root: HTMLElement;
  private readonly head = element(
    'div',
    { class: 'row head', attributes: { role: 'row' } },
    ...COLUMNS.map(column =>
      element('span', {
        class: `cell ${column.key}`,
        text: column.label,
        attributes: { role: 'columnheader' },
      }),
    ),
  );
  private readonly body = element('div', { class: 'rows', attributes: { role: 'rowgroup' } });
  private rows: readonly LayerRow[] = [];
  private selected: number | null = null;
  private wantedTop: number | null = null;
  private readonly paintSoon = oncePerFrame(() => this.paint());

  constructor(private readonly options: LayerTableOptions) {
    this.root = element(
      'div',
      {
        class: 'table',
        attributes: {
          role: 'grid',
          tabindex: '0',
          'aria-label': 'Layers',
          'aria-colcount': String(COLUMNS.length),
        },
      },
      this.head,
      this.body,
    );
    this.root.addEventListener('scroll', () => {
      this.paintSoon();
      options.onScroll(this.root.scrollTop);
    });
    new ResizeObserver(() => this.resized()).observe(this.root);
    this.root.addEventListener('keydown', event => this.onKey(event));
    this.root.addEventListener('focus', () => {
      if (this.selected === null && this.rows.length > 0) this.select(0);
    });
    this.body.addEventListener('mousedown', event => this.onMouseDown(event));
    this.body.addEventListener('mouseup', event => this.onMouseUp(event));
  }

  /** @param hasSource whether any layer of the model says where it stands in code; else that column is left out */
  set(rows: readonly LayerRow[], hasSource: boolean): void {
    this.rows = rows;
    this.selected = null;
    this.root.classList.toggle('no-source', !hasSource);
    this.root.removeAttribute('aria-activedescendant');
    this.root.setAttribute('aria-rowcount', String(rows.length + 1));
    this.body.style.height = `${rows.length * ROW_HEIGHT}px`;
    this.resized();
  }

  scrollTo(top: number): void {
    this.wantedTop = top;
    this.resized();
  }

  private resized(): void {
    if (this.wantedTop !== null && this.root.clientHeight > 0 && this.rows.length > 0) {
      this.root.scrollTop = this.wantedTop;
      this.wantedTop = null;
    }
    this.paintSoon();
  }

  private paint(): void {
    const { first, end } = rowWindow(this.rows.length, this.root.scrollTop, this.root.clientHeight);
    this.body.replaceChildren(
      ...this.rows.slice(first, end).map((row, i) => this.line(row, first + i)),
    );
  }

  private line(row: LayerRow, index: number): HTMLElement {
    const made = element(
      'div',
      {
        class: index === this.selected ? 'row selected' : 'row',
        id: `row-${index}`,
        attributes: {
          role: 'row',
          'aria-rowindex': String(index + 2),
          'aria-selected': String(index === this.selected),
        },
      },
      ...COLUMNS.map(column =>
        element('span', {
          class: `cell ${column.key}`,
          text: row[column.key],
          title: row[column.key],
          attributes: { role: 'gridcell' },
        }),
      ),
    );
    made.style.top = `${index * ROW_HEIGHT}px`;
    return made;
  }

  private select(index: number): void {
    const row = this.rows[index];
    if (!row) return;
    this.selected = index;
    const top = index * ROW_HEIGHT;
    const room = this.root.clientHeight - ROW_HEIGHT;
    if (top < this.root.scrollTop) this.root.scrollTop = top;
    else if (top + ROW_HEIGHT > this.root.scrollTop + room)
      this.root.scrollTop = top + ROW_HEIGHT - room;
    this.root.setAttribute('aria-activedescendant', `row-${index}`);
    this.paint();
    this.options.onSelect(row);
  }

  private onKey(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const row = this.selected === null ? undefined : this.rows[this.selected];
    if (event.key === 'Enter' && row) {
      event.preventDefault();
      return this.options.onOpen(row);
    }
    const page = Math.max(1, Math.floor(this.root.clientHeight / ROW_HEIGHT) - 2);
    const target = moveRow(this.rows.length, this.selected ?? -1, event.key, page);
    if (target === null) return;
    event.preventDefault();
    this.select(target);
  }

  /** The row under the mouse, by height and not by element: selecting paints the rows anew, and no click follows on a row that is gone. */
  private indexAt({ clientX, clientY, button }: MouseEvent): number {
    const { left, right, top } = this.body.getBoundingClientRect();
    const isInside = button === 0 && clientX >= left && clientX <= right;
    return isInside ? Math.floor((clientY - top) / ROW_HEIGHT) : -1;
  }

  private onMouseDown(event: MouseEvent): void {
    this.select(this.indexAt(event));
  }

  private onMouseUp(event: MouseEvent): void {
    const index = this.indexAt(event);
    const row = this.rows[index];
    if (row && index === this.selected) this.options.onOpen(row);
  }
}
