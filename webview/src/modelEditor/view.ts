import type { ModelDescription, Problem } from '../../../protocol/model';
import { button, icon, progressRing, searchField, type TextField } from '../lib/controls';
import { element } from '../lib/dom';
import { createMessage } from '../lib/message';
import { preprocessingRows } from '../lib/preprocessingRows';
import { summaryFacts, valueType } from './model';
import type { Fact } from './types';

/** Problems that are written out; the rest is counted. */
const MOST_PROBLEMS = 50;

/** What a person can do here besides the table. */
export interface ModelEditorActions {
  search(text: string): void;
  editPreprocessing(): void;
}

/** Summary, inputs and outputs, preprocessing, problems, metadata; the table is put in by the caller. */
export class ModelEditorView {
  readonly root: HTMLElement;
  readonly line = createMessage('line');
  readonly search: TextField;
  private readonly title = element('h1', { class: 'title' });
  private readonly facts = element('dl', { class: 'facts' });
  private readonly sections = element('div', { class: 'sections' });
  private readonly count = element('span', { class: 'count', attributes: { role: 'status' } });
  private readonly waiting = element(
    'div',
    { class: 'waiting' },
    progressRing('Reading the model'),
  );
  private readonly body: HTMLElement;

  constructor(
    private readonly actions: ModelEditorActions,
    table: HTMLElement,
  ) {
    this.search = searchField('Search layers', text => actions.search(text));
    this.body = element(
      'div',
      { class: 'body' },
      element('div', { class: 'about' }, this.facts, this.sections),
      element(
        'section',
        { class: 'layers', attributes: { 'aria-label': 'Layers' } },
        element('div', { class: 'tools' }, this.search, this.count),
        table,
      ),
    );
    this.body.hidden = true;
    this.root = element(
      'div',
      { class: 'model-editor' },
      element('header', {}, this.title),
      this.line.root,
      this.waiting,
      this.body,
    );
  }

  setTitle(label: string, path: string): void {
    this.title.textContent = label;
    this.title.title = path;
  }

  /** Reading went on or ended; what was shown stays. */
  setWaiting(waiting: boolean): void {
    this.waiting.hidden = !waiting;
  }

  setCount(text: string): void {
    this.count.textContent = text;
  }

  show(model: ModelDescription): void {
    this.body.hidden = false;
    this.facts.replaceChildren(...pairs(summaryFacts(model)));
    this.sections.replaceChildren(
      ...problems(model.problems),
      section(
        'Inputs',
        element('dl', {}, ...pairs(model.inputs.map(value => [value.name, valueType(value)]))),
      ),
      section(
        'Outputs',
        element('dl', {}, ...pairs(model.outputs.map(value => [value.name, valueType(value)]))),
      ),
      ...this.preprocessing(model),
      ...metadata(model.metadata),
    );
  }

  private preprocessing(model: ModelDescription): readonly HTMLElement[] {
    return model.preprocessing.map(spec => {
      const table = element('dl', {});
      for (const row of preprocessingRows(spec))
        table.append(
          element('dt', { text: row.name }),
          element(
            'dd',
            {},
            row.value,
            element('span', { class: row.guessed ? 'source guessed' : 'source', text: row.from }),
          ),
        );
      const edit = button({
        label: 'Change…',
        icon: 'edit',
        title: 'Change the preprocessing in the settings',
        onClick: () => this.actions.editPreprocessing(),
      });
      const notes = spec.notes.map(note => element('p', { class: 'muted', text: note }));
      return section(`Preprocessing of ${spec.input}`, table, ...notes, edit);
    });
  }
}

const section = (title: string, ...children: readonly HTMLElement[]): HTMLElement =>
  element('section', {}, element('h2', { text: title }), ...children);

const pairs = (facts: readonly Fact[]): readonly HTMLElement[] =>
  facts.flatMap(([name, value]) => [
    element('dt', { text: name, title: name }),
    element('dd', { text: value, title: value }),
  ]);

function problems(list: readonly Problem[]): readonly HTMLElement[] {
  if (list.length === 0) return [];
  const signs = { error: 'error', warning: 'warning', information: 'info' } as const;
  const items = list
    .slice(0, MOST_PROBLEMS)
    .map(problem =>
      element(
        'li',
        { class: problem.severity },
        icon(signs[problem.severity]),
        element('span', { text: problem.message }),
      ),
    );
  if (list.length > MOST_PROBLEMS)
    items.push(element('li', { class: 'muted', text: `and ${list.length - MOST_PROBLEMS} more` }));
  return [section('Problems', element('ul', { class: 'problems' }, ...items))];
}

function metadata(entries: ModelDescription['metadata']): readonly HTMLElement[] {
  const facts = Object.entries(entries);
  if (facts.length === 0) return [];
  return [
    element(
      'details',
      { class: 'metadata' },
      element('summary', { text: `Metadata (${facts.length})` }),
      element('dl', {}, ...pairs(facts)),
    ),
  ];
}
