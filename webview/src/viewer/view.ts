import { layerFacts } from '../../../protocol/layerFacts';
import type { ViewerState, ViewerTab } from '../../../protocol/views';
import { createColorBar, type ColorBar } from '../lib/colorBar';
import {
  button,
  buttonText,
  icon,
  iconButton,
  numberField,
  select,
  slider,
  type Button,
} from '../lib/controls';
import { element } from '../lib/dom';
import { baseName } from '../lib/format';
import { COLOR_CHOICES } from '../lib/heat';
import { createMessage, type Message } from '../lib/message';
import { neighbourLayer, shownLabel } from './model';
import { createTabs, type Tabs } from './tabs';
import type { Shown } from './types';

/** A picture, numbers, or (of heatmaps) everything that is known of them. */
export type ExportKind = 'picture' | 'numbers' | 'record';

/** What a person can do on the page, apart from the grid and the picture. */
export interface ViewerActions {
  step(direction: -1 | 1): void;
  chooseTab(tab: ViewerTab): void;
  patch(patch: Partial<ViewerState>): void;
  chooseInput(): void;
  save(what: ExportKind): void;
  back(): void;
  neighbour(direction: -1 | 1): void;
  recompute(): void;
  toggleDetails(): void;
}

/** What stands in the frame and has a life of its own. */
export interface ViewerParts {
  readonly busy: HTMLElement;
  readonly details: HTMLElement;
  readonly picture: HTMLElement;
  readonly content: HTMLElement;
  readonly heatmap: HTMLElement;
}

/** What the frame says besides the state: facts of the tab that is shown. */
export interface FrameFacts {
  readonly views: readonly string[];
  readonly view: string;
  readonly slices: number;
  readonly countText: string;
  readonly statement: string;
  readonly canRecompute: boolean;
  readonly enlarged: boolean;
}

const VIEW_LABELS: Readonly<Record<string, string>> = {
  rgb: 'colour',
  slices: 'one input channel',
  mean: 'mean',
  norm: 'norm',
  component: 'first component',
};
const SORTS = [
  { value: 'index', label: 'index' },
  { value: 'mean', label: 'mean' },
  { value: 'maximum', label: 'maximum' },
  { value: 'variance', label: 'variance' },
];
const SCALES = [
  { value: 'own', label: 'own' },
  { value: 'shared', label: 'shared' },
];

const isSort = (value: string): value is ViewerState['sort'] =>
  SORTS.some(sort => sort.value === value);

/** The frame that all tabs share: nothing in it moves when the tab changes. */
export class ViewerView {
  readonly root: HTMLElement;
  readonly pictureArea = element('section', {
    class: 'picture-area',
    attributes: { 'aria-label': 'Input picture' },
  });
  readonly line: Message = createMessage('line');
  readonly area: Message = createMessage('area');
  readonly pictureMessage: Message = createMessage('area');
  readonly bar: ColorBar = createColorBar();
  readonly readout = element('output', { class: 'readout', id: 'readout' });
  private readonly name = element('h1', { class: 'name' });
  private readonly facts = element('span', { class: 'facts' });
  private readonly model = element('span', { class: 'model' });
  private readonly prediction = element('span', { class: 'prediction' });
  private readonly previous: Button;
  private readonly next: Button;
  private readonly input: Button;
  private readonly tabs: Tabs;
  private readonly views;
  private readonly slice;
  private readonly sort;
  private readonly scale;
  private readonly colors;
  private readonly opacity: HTMLInputElement;
  private readonly count = element('span', { class: 'count' });
  private readonly gridTools: HTMLElement;
  private readonly enlargedTools: HTMLElement;
  private readonly recompute: Button;
  private readonly statement = element('span', { class: 'statement', id: 'statement' });
  private readonly detailsButton: Button;
  private readonly saveRecord: Button;
  private readonly panel: HTMLElement;

  constructor(actions: ViewerActions, parts: ViewerParts) {
    this.previous = iconButton({
      label: 'Previous layer ( [ )',
      icon: 'chevron-left',
      onClick: () => actions.step(-1),
    });
    this.next = iconButton({
      label: 'Next layer ( ] )',
      icon: 'chevron-right',
      onClick: () => actions.step(1),
    });
    this.input = button({
      label: '',
      icon: 'file-media',
      title: 'Choose the input',
      onClick: () => actions.chooseInput(),
    });
    this.input.classList.add('input-button');
    this.tabs = createTabs(tab => actions.chooseTab(tab));
    this.views = select('View', view =>
      actions.patch({ filterView: view, channel: null, enlarged: false }),
    );
    this.slice = numberField('Input channel', slice =>
      actions.patch({ slice, filterView: 'slices' }),
    );
    this.sort = select('Sort', sort => {
      if (isSort(sort)) actions.patch({ sort, scrollTop: 0 });
    });
    this.scale = select('Scale', scale =>
      actions.patch({ scale: scale === 'shared' ? 'shared' : 'own' }),
    );
    this.colors = select('Colours', colorMap => actions.patch({ colorMap }));
    this.opacity = slider('Opacity of the overlay', opacity => actions.patch({ opacity }));
    this.recompute = button({
      label: 'Recompute this position',
      icon: 'symbol-operator',
      onClick: () => actions.recompute(),
    });
    this.saveRecord = iconButton({
      label: 'Export everything known of the heatmaps (JSON)',
      icon: 'json',
      onClick: () => actions.save('record'),
    });
    this.detailsButton = button({
      label: 'Details',
      icon: 'info',
      onClick: () => actions.toggleDetails(),
    });
    this.detailsButton.setAttribute('aria-controls', 'details');
    this.gridTools = element(
      'div',
      { class: 'tools' },
      this.views.root,
      this.slice,
      this.sort.root,
      this.scale.root,
      this.count,
    );
    this.enlargedTools = element(
      'div',
      { class: 'tools' },
      button({
        label: 'All channels',
        icon: 'arrow-left',
        title: 'Back to the grid (Escape)',
        onClick: () => actions.back(),
      }),
      iconButton({
        label: 'Previous channel',
        icon: 'chevron-left',
        onClick: () => actions.neighbour(-1),
      }),
      iconButton({
        label: 'Next channel',
        icon: 'chevron-right',
        onClick: () => actions.neighbour(1),
      }),
      this.recompute,
    );
    this.panel = element(
      'div',
      { class: 'frame', id: 'frame', attributes: { role: 'tabpanel' } },
      this.pictureArea,
      element(
        'section',
        { class: 'channels', attributes: { 'aria-label': 'What the layer shows' } },
        this.gridTools,
        this.enlargedTools,
        parts.content,
        parts.heatmap,
        this.area.root,
      ),
    );
    this.pictureArea.append(parts.picture, this.pictureMessage.root);
    this.root = element(
      'div',
      { class: 'viewer' },
      this.header(actions),
      parts.busy,
      this.line.root,
      this.panel,
      this.footer(),
      parts.details,
    );
  }

  /** Brings everything that says what is shown up to date. */
  update({ situation, state }: Shown, facts: FrameFacts): void {
    const { layer } = situation;
    const label = shownLabel(situation);
    this.name.textContent = label;
    this.name.title = layer ? `${label} · ${layer.id}` : label;
    this.facts.textContent = layer ? layerFacts(layer) : '';
    this.facts.title = this.facts.textContent;
    this.model.textContent = situation.modelLabel;
    this.model.title = situation.modelLabel;
    this.previous.disabled = !neighbourLayer(situation.layers, state.layer, -1);
    this.next.disabled = !neighbourLayer(situation.layers, state.layer, 1);
    const inputText = situation.inputLabel ?? 'Choose Input…';
    this.input.replaceChildren(
      icon('file-media'),
      buttonText(baseName(inputText)),
      icon('chevron-down'),
    );
    this.input.title = situation.inputLabel
      ? `Input: ${situation.inputLabel}. Choose another`
      : 'Choose the input';
    this.panel.setAttribute('aria-labelledby', this.tabs.set(state.tab));
    this.updateTools(state, facts);
  }

  setPrediction(text: string, title: string): void {
    this.prediction.textContent = text;
    this.prediction.title = title;
  }

  /** Dims what is being replaced. */
  setBusy(busy: boolean): void {
    this.root.classList.toggle('is-busy', busy);
    this.panel.setAttribute('aria-busy', String(busy));
  }

  setDetailsOpen(open: boolean): void {
    this.detailsButton.setAttribute('aria-expanded', String(open));
  }

  focusTab(tab: ViewerTab): void {
    this.tabs.focus(tab);
  }

  private updateTools(state: ViewerState, facts: FrameFacts): void {
    const filters = state.tab === 'filters';
    this.saveRecord.hidden = state.tab !== 'heatmap';
    this.root.classList.toggle('on-heatmap', state.tab === 'heatmap');
    this.gridTools.hidden = facts.enlarged || facts.countText === '';
    this.enlargedTools.hidden = !facts.enlarged;
    this.recompute.hidden = !facts.canRecompute;
    this.views.root.hidden = !filters || facts.views.length < 2;
    this.views.set(
      facts.views.map(view => ({ value: view, label: VIEW_LABELS[view] ?? view })),
      facts.view,
    );
    this.slice.hidden = !filters || facts.view !== 'slices' || facts.slices < 2;
    this.slice.max = String(Math.max(0, facts.slices - 1));
    if (document.activeElement !== this.slice) this.slice.value = String(state.slice);
    this.sort.set(SORTS, state.sort);
    this.scale.set(SCALES, state.scale);
    this.colors.set(COLOR_CHOICES, state.colorMap);
    if (document.activeElement !== this.opacity) this.opacity.valueAsNumber = state.opacity;
    this.count.textContent = facts.countText;
    this.statement.textContent = facts.statement;
    this.statement.title = facts.statement;
  }

  private header(actions: ViewerActions): HTMLElement {
    return element(
      'header',
      { class: 'head' },
      element(
        'div',
        { class: 'head-line' },
        element('div', { class: 'steps' }, this.previous, this.next),
        this.name,
        this.facts,
        element('span', { class: 'grow' }),
        this.prediction,
        this.input,
        this.model,
      ),
      element(
        'div',
        { class: 'tab-line' },
        this.tabs.root,
        element('span', { class: 'grow' }),
        iconButton({
          label: 'Export picture (PNG)',
          icon: 'file-media',
          onClick: () => actions.save('picture'),
        }),
        iconButton({
          label: 'Export numbers (.npy)',
          icon: 'export',
          onClick: () => actions.save('numbers'),
        }),
        this.saveRecord,
      ),
    );
  }

  private footer(): HTMLElement {
    return element(
      'footer',
      { class: 'foot' },
      element(
        'div',
        { class: 'foot-line' },
        element('label', { class: 'opacity' }, element('span', { text: 'Opacity' }), this.opacity),
        this.colors.root,
        this.bar.root,
        element('span', { class: 'grow' }),
        this.readout,
      ),
      element(
        'div',
        { class: 'foot-line' },
        this.statement,
        element('span', { class: 'grow' }),
        this.detailsButton,
      ),
    );
  }
}
