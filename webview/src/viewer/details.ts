import type { PreprocessingSpec } from '../../../protocol/preprocessing';
import { button } from '../lib/controls';
import { element } from '../lib/dom';
import { preprocessingRows } from '../lib/preprocessingRows';
import type { DetailsSection } from './detailsSection';

/** What a reviewer needs, closed until asked for. */
export interface DetailsPane {
  readonly root: HTMLElement;
  /** Filled only while open. */
  fill(sections: readonly DetailsSection[], preprocessing: readonly PreprocessingSpec[]): void;
  toggle(): void;
  readonly isOpen: boolean;
}

export function createDetails(onCopy: () => void): DetailsPane {
  const body = element('div', { class: 'details-body' });
  const root = element('section', {
    class: 'details',
    id: 'details',
    attributes: { 'aria-label': 'Details' },
  });
  root.append(body, button({ label: 'Copy as JSON', icon: 'copy', onClick: onCopy }));
  root.hidden = true;
  return {
    root,
    get isOpen() {
      return !root.hidden;
    },
    toggle() {
      root.hidden = !root.hidden;
    },
    fill(sections, preprocessing) {
      body.replaceChildren(
        ...sections.map(section => list(section.title, section.rows)),
        ...preprocessing.map(spec => preprocessingList(spec)),
      );
    },
  };
}

function list(title: string, rows: DetailsSection['rows']): HTMLElement {
  return element(
    'div',
    { class: 'details-section' },
    element('h2', { text: title }),
    element(
      'dl',
      {},
      ...rows.flatMap(([name, value]) => [
        element('dt', { text: name }),
        element('dd', { text: value }),
      ]),
    ),
  );
}

function preprocessingList(spec: PreprocessingSpec): HTMLElement {
  return element(
    'div',
    { class: 'details-section' },
    element('h2', { text: `Preprocessing of ${spec.input}` }),
    element(
      'dl',
      {},
      ...preprocessingRows(spec).flatMap(row => [
        element('dt', { text: row.name }),
        element(
          'dd',
          {},
          row.value,
          element('span', { class: row.guessed ? 'source guessed' : 'source', text: row.from }),
        ),
      ]),
    ),
    ...spec.notes.map(note => element('p', { class: 'muted', text: note })),
  );
}
