import { createColorBar } from '../lib/colorBar';
import {
  button,
  buttonText,
  checkbox,
  icon,
  iconButton,
  select,
  slider,
  type Button,
} from '../lib/controls';
import { element } from '../lib/dom';
import { baseName } from '../lib/format';
import { COLOR_CHOICES } from '../lib/heat';
import { createMessage, type MessageAction } from '../lib/message';
import { createPicker } from '../lib/picker';
import type { PanelMenus, PanelWords, SidePanelActions } from './types';

/** One sentence under the picture, with what can be done about it. */
export interface PanelFinding {
  readonly severity: 'information' | 'warning';
  readonly text: string;
  readonly action: MessageAction | null;
}

/** A square picture, what it shows, and how. */
export class SidePanelView {
  readonly root: HTMLElement;
  readonly line = createMessage('line');
  readonly area = createMessage('area');
  readonly bar = createColorBar();
  private readonly name = element('h1', { class: 'name' });
  private readonly facts = element('p', { class: 'facts' });
  private readonly note = element('p', { class: 'note', id: 'note' });
  private readonly findings = element('div', { class: 'findings' });
  private readonly method;
  private readonly target;
  private readonly menus: HTMLElement;
  private said = '';
  private readonly viewer: Button;
  private readonly input: Button;
  private readonly model: Button;
  private readonly opacity: HTMLInputElement;
  private readonly colors;
  private readonly pin;
  private readonly square: HTMLElement;
  private readonly controls: HTMLElement;
  private readonly choices: HTMLElement;

  constructor(actions: SidePanelActions, picture: HTMLElement, busy: HTMLElement) {
    this.viewer = iconButton({
      label: 'Visualize Layer',
      icon: 'open-preview',
      onClick: () => actions.openViewer(),
    });
    this.input = this.choice('file-media', () => actions.chooseInput());
    this.model = this.choice('symbol-structure', () => actions.chooseModel());
    this.opacity = slider('Opacity of the heatmap', value => actions.setOpacity(value));
    this.colors = select('Colours', name => actions.setColorMap(name));
    this.pin = checkbox('Pin', pinned => actions.setPinned(pinned));
    this.pin.title = 'Keep this layer while the cursor moves';
    this.method = createPicker({
      label: 'Method',
      search: 'Search methods…',
      onChoose: value => actions.setMethod(value),
    });
    this.target = createPicker({
      label: 'Target',
      search: 'Name or number of a class…',
      onChoose: value => actions.setTarget(value),
    });
    this.menus = element('div', { class: 'menus' }, this.method.root, this.target.root);
    this.square = element('div', { class: 'square' }, busy, picture, this.area.root);
    this.controls = element(
      'div',
      { class: 'controls' },
      this.bar.root,
      element(
        'div',
        { class: 'line' },
        element('label', { class: 'opacity' }, element('span', { text: 'Opacity' }), this.opacity),
      ),
      element('div', { class: 'line' }, this.colors.root, this.pin),
    );
    this.choices = element('div', { class: 'choices' }, this.input, this.model);
    this.root = element(
      'div',
      { class: 'side-panel' },
      element(
        'div',
        { class: 'title' },
        element('div', { class: 'title-text' }, this.name, this.facts),
        this.viewer,
      ),
      this.line.root,
      this.menus,
      this.square,
      this.note,
      this.findings,
      this.controls,
      this.choices,
    );
  }

  update(words: PanelWords, hasLayer: boolean): void {
    this.name.textContent = words.name || 'No layer';
    this.name.title = words.name;
    this.facts.textContent = words.facts;
    this.facts.title = words.facts;
    this.viewer.hidden = !hasLayer;
    this.controls.hidden = !hasLayer;
    this.menus.hidden = !hasLayer;
    this.choices.hidden = words.model === null;
    this.pin.checked = words.pinned;
    this.setChoice(this.input, words.input, 'Input');
    this.setChoice(this.model, words.model ?? '', 'Model');
    this.colors.set(COLOR_CHOICES, words.colorMap);
    if (document.activeElement !== this.opacity) this.opacity.valueAsNumber = words.opacity;
  }

  setNote(text: string): void {
    this.note.textContent = text;
    this.note.title = text;
  }

  setMenus(menus: PanelMenus): void {
    this.method.set(menus.method, menus.methods, [menus.chosenMethod]);
    this.method.setTitle(menus.methodTitle);
    this.target.root.hidden = menus.target === null;
    this.target.set(menus.target ?? '', menus.targets, [menus.chosenTarget]);
  }

  /** What is to be known of the map. Buttons are made anew only when the sentences change. */
  setFindings(findings: readonly PanelFinding[]): void {
    const key = JSON.stringify(findings.map(({ text, action }) => [text, action?.label]));
    if (key === this.said) return;
    this.said = key;
    this.findings.replaceChildren(
      ...findings.map(({ severity, text, action }) =>
        element(
          'div',
          { class: `finding finding-${severity}` },
          icon(severity === 'warning' ? 'warning' : 'info'),
          element('p', { text }),
          ...(action ? [button({ label: action.label, onClick: action.run })] : []),
        ),
      ),
    );
  }

  setBusy(busy: boolean): void {
    this.square.classList.toggle('is-busy', busy);
    this.square.setAttribute('aria-busy', String(busy));
  }

  private choice(sign: string, onClick: () => void): Button {
    const made = button({ label: '', icon: sign, onClick });
    made.classList.add('choice');
    return made;
  }

  private setChoice(control: Button, label: string, what: string): void {
    const [sign] = control.children;
    control.replaceChildren(sign ?? icon('circle'), buttonText(baseName(label)));
    control.title = `${what}: ${label}`;
    control.setAttribute('aria-label', `${what}: ${label}. Choose another`);
  }
}
