import { icon } from './controls';
import { element } from './dom';
import { moveLine, searchItems, type PickerItem } from './pickerModel';

/** A button that opens a menu with a search field; for lists that are too long or say too much for a dropdown. */
export interface Picker {
  readonly root: HTMLElement;
  /** What the button says, what there is to choose (asked for when the menu opens), and the chosen values. */
  set(text: string, items: () => readonly PickerItem[], chosen: readonly string[]): void;
  /** Explains the button. */
  setTitle(title: string): void;
}

export interface PickerOptions {
  readonly label: string;
  /** What the search field says while it is empty. */
  readonly search: string;
  /** Choosing a line leaves the menu open, and chosen lines are ticked. */
  readonly multiple?: boolean;
  onChoose(value: string): void;
}

const MARGIN = 4;
let made = 0;

export function createPicker(options: PickerOptions): Picker {
  const id = `picker-${++made}`;
  const text = element('span', { class: 'picker-text' });
  const open = element(
    'button',
    {
      class: 'picker-button',
      title: options.label,
      attributes: { type: 'button', 'aria-haspopup': 'dialog', 'aria-expanded': 'false' },
    },
    text,
    icon('chevron-down'),
  );
  const menu = new Menu(id, options, () => open.focus());
  open.addEventListener('click', () => menu.toggle(open));
  menu.root.addEventListener('toggle', () =>
    open.setAttribute('aria-expanded', String(menu.isOpen)),
  );
  const root = element(
    'div',
    { class: 'select picker' },
    element('span', {
      class: 'select-label',
      text: options.label,
      attributes: { 'aria-hidden': 'true' },
    }),
    open,
    menu.root,
  );
  return {
    root,
    set(shown, items, chosen) {
      text.textContent = shown;
      open.setAttribute('aria-label', `${options.label}: ${shown}`);
      menu.set(items, chosen);
    },
    setTitle(title) {
      open.title = title;
    },
  };
}

/** The menu itself: a field, and a list whose lines the field walks through (WAI-ARIA combobox). */
class Menu {
  readonly root: HTMLElement;
  private readonly field: HTMLInputElement;
  private readonly list: HTMLElement;
  private items: () => readonly PickerItem[] = () => [];
  private chosen: readonly string[] = [];
  private all: readonly PickerItem[] = [];
  private lines: readonly PickerItem[] = [];
  private at = 0;

  constructor(
    private readonly id: string,
    private readonly options: PickerOptions,
    private readonly giveBackFocus: () => void,
  ) {
    this.list = element('div', {
      class: 'picker-list',
      id: `${id}-list`,
      attributes: {
        role: 'listbox',
        'aria-label': options.label,
        ...(options.multiple ? { 'aria-multiselectable': 'true' } : {}),
      },
    });
    this.field = element('input', {
      class: 'picker-field',
      attributes: {
        type: 'text',
        role: 'combobox',
        placeholder: options.search,
        'aria-label': options.search,
        'aria-controls': this.list.id,
        'aria-expanded': 'true',
        'aria-autocomplete': 'list',
        spellcheck: 'false',
      },
    });
    this.root = element(
      'div',
      { class: 'picker-menu', attributes: { popover: 'auto', role: 'dialog' } },
      this.field,
      this.list,
    );
    this.root.setAttribute('aria-label', options.label);
    this.field.addEventListener('input', () => this.search());
    this.field.addEventListener('keydown', event => this.key(event));
    this.list.addEventListener('click', event => this.clicked(event));
    // The field keeps the focus, so that typing and arrow keys go on working.
    this.list.addEventListener('pointerdown', event => event.preventDefault());
  }

  get isOpen(): boolean {
    return this.root.matches(':popover-open');
  }

  set(items: () => readonly PickerItem[], chosen: readonly string[]): void {
    this.items = items;
    this.chosen = chosen;
    if (this.isOpen) this.fill();
  }

  toggle(anchor: HTMLElement): void {
    if (this.isOpen) return this.root.hidePopover();
    this.all = this.items();
    this.field.value = '';
    this.root.showPopover();
    this.search();
    this.at = Math.max(
      0,
      this.lines.findIndex(line => this.chosen.includes(line.value)),
    );
    this.fill();
    this.place(anchor);
    this.field.focus();
    this.showActive();
  }

  /** Below its button, or above it where there is more room; always inside the page. */
  private place(anchor: HTMLElement): void {
    const button = anchor.getBoundingClientRect();
    const below = innerHeight - button.bottom - 2 * MARGIN;
    const above = button.top - 2 * MARGIN;
    const down = below >= Math.min(this.root.scrollHeight, 320) || below >= above;
    this.root.style.maxHeight = `${Math.max(80, down ? below : above)}px`;
    const { offsetWidth: width, offsetHeight: height } = this.root;
    const left = Math.max(MARGIN, Math.min(button.left, innerWidth - width - MARGIN));
    this.root.style.left = `${left}px`;
    this.root.style.top = `${down ? button.bottom + 2 : button.top - height - 2}px`;
  }

  private search(): void {
    this.at = 0;
    this.fill();
  }

  private fill(): void {
    const { lines, left } = searchItems(this.all, this.field.value);
    this.lines = lines;
    let group = '';
    const parts: HTMLElement[] = [];
    lines.forEach((line, index) => {
      const heading = line.group ?? '';
      if (heading !== group && heading !== '')
        parts.push(element('div', { class: 'picker-group', text: heading }));
      group = heading;
      parts.push(this.option(line, index));
    });
    if (lines.length === 0)
      parts.push(element('div', { class: 'picker-more', text: 'Nothing found.' }));
    if (left > 0)
      parts.push(
        element('div', { class: 'picker-more', text: `${left} more: type to find them.` }),
      );
    const { scrollTop } = this.list;
    this.list.replaceChildren(...parts);
    this.list.scrollTop = scrollTop;
    this.markActive();
  }

  private option(line: PickerItem, index: number): HTMLElement {
    const chosen = this.chosen.includes(line.value);
    const first = element(
      'div',
      { class: 'picker-line' },
      element('span', { class: 'picker-label', text: line.label }),
      ...(line.detail ? [element('span', { class: 'picker-detail', text: line.detail })] : []),
    );
    return element(
      'div',
      {
        class: 'picker-option',
        id: `${this.id}-${index}`,
        attributes: {
          role: 'option',
          'aria-selected': String(chosen),
          'data-index': String(index),
        },
      },
      ...(this.options.multiple ? [icon(chosen ? 'check' : 'blank')] : []),
      element(
        'div',
        { class: 'picker-texts' },
        first,
        ...(line.description
          ? [element('div', { class: 'picker-description', text: line.description })]
          : []),
      ),
    );
  }

  private key(event: KeyboardEvent): void {
    const to = event.shiftKey ? null : moveLine(this.lines.length, this.at, event.key);
    const inText = (event.key === 'Home' || event.key === 'End') && this.field.value !== '';
    if (to !== null && !inText) {
      this.at = to;
      this.markActive();
      this.showActive();
    } else if (event.key === 'Enter') this.choose(this.at);
    else if (event.key === 'Escape') this.close();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  private clicked(event: MouseEvent): void {
    const option = event.target instanceof Element ? event.target.closest('[data-index]') : null;
    if (option instanceof HTMLElement) this.choose(Number(option.dataset['index']));
  }

  private choose(index: number): void {
    const line = this.lines[index];
    if (!line) return;
    this.at = index;
    if (!this.options.multiple) this.close();
    this.options.onChoose(line.value);
  }

  private close(): void {
    this.root.hidePopover();
    this.giveBackFocus();
  }

  private markActive(): void {
    for (const option of this.list.querySelectorAll('.picker-option'))
      option.classList.toggle('is-active', option.id === `${this.id}-${this.at}`);
    this.field.setAttribute('aria-activedescendant', `${this.id}-${this.at}`);
  }

  private showActive(): void {
    this.list.querySelector('.is-active')?.scrollIntoView({ block: 'nearest' });
  }
}
