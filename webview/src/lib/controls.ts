/**
 * The controls of all pages. This is the only file that knows the component library: a move to another one
 * is a change of this file.
 */
import {
  provideVSCodeDesignSystem,
  vsCodeButton,
  vsCodeCheckbox,
  vsCodeDropdown,
  vsCodeOption,
  vsCodeProgressRing,
  vsCodeTextField,
  type Button,
  type Checkbox,
  type Dropdown,
  type TextField,
} from '@vscode/webview-ui-toolkit';
import { element } from './dom';

provideVSCodeDesignSystem().register(
  vsCodeButton(),
  vsCodeCheckbox(),
  vsCodeDropdown(),
  vsCodeOption(),
  vsCodeProgressRing(),
  vsCodeTextField(),
);

export type { Button, TextField };

const make = <T extends HTMLElement>(tag: string, attributes: Record<string, string>): T => {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  // The tag was registered above, so the element has the class that the library declares for it.
  return made as T;
};

/** A codicon; decoration only, what it means is said by the control that holds it. */
export const icon = (name: string): HTMLElement =>
  element('span', { class: `codicon codicon-${name}`, attributes: { 'aria-hidden': 'true' } });

export interface ButtonOptions {
  readonly label: string;
  readonly title?: string;
  readonly icon?: string;
  readonly appearance?: 'primary' | 'secondary';
  readonly onClick: () => void;
}

/** The text of a button. Not a span: the library gives those the size of an icon. */
export const buttonText = (text: string): HTMLElement =>
  element('div', { class: 'button-text', text });

/** A button with a text. */
export function button(options: ButtonOptions): Button {
  const made = make<Button>('vscode-button', { appearance: options.appearance ?? 'secondary' });
  if (options.icon !== undefined) made.append(icon(options.icon));
  made.append(buttonText(options.label));
  if (options.title !== undefined) made.title = options.title;
  made.addEventListener('click', options.onClick);
  return made;
}

/** A button that shows an icon only; its label is its tooltip and its accessible name. */
export function iconButton(options: ButtonOptions & { readonly icon: string }): Button {
  const made = make<Button>('vscode-button', { appearance: 'icon', 'aria-label': options.label });
  made.title = options.title ?? options.label;
  made.append(icon(options.icon));
  made.addEventListener('click', options.onClick);
  return made;
}

export interface Choice {
  readonly value: string;
  readonly label: string;
}

/** A list of choices with one chosen. */
export interface Select {
  readonly root: HTMLElement;
  set(choices: readonly Choice[], value: string): void;
}

export function select(label: string, onChange: (value: string) => void): Select {
  const dropdown = make<Dropdown>('vscode-dropdown', { 'aria-label': label });
  const root = element(
    'div',
    { class: 'select', title: label },
    element('span', { class: 'select-label', text: label, attributes: { 'aria-hidden': 'true' } }),
    dropdown,
  );
  let shown = '';
  dropdown.addEventListener('change', () => onChange(dropdown.value));
  return {
    root,
    set(choices, value) {
      const key = JSON.stringify(choices);
      if (key !== shown) {
        shown = key;
        dropdown.replaceChildren(
          ...choices.map(choice => {
            const option = make<HTMLElement>('vscode-option', { value: choice.value });
            option.textContent = choice.label;
            option.toggleAttribute('selected', choice.value === value);
            return option;
          }),
        );
      }
      // The component reads its options a microtask after they were put in.
      queueMicrotask(() => {
        dropdown.value = value;
      });
    },
  };
}

/** A box to tick. */
export function checkbox(label: string, onChange: (checked: boolean) => void): Checkbox {
  const made = make<Checkbox>('vscode-checkbox', {});
  made.textContent = label;
  made.addEventListener('change', () => onChange(made.checked));
  return made;
}

/** A field to search with; tells every keystroke. */
export function searchField(label: string, onInput: (text: string) => void): TextField {
  const made = make<TextField>('vscode-text-field', { placeholder: label, 'aria-label': label });
  const sign = icon('search');
  sign.slot = 'start';
  made.append(sign);
  made.addEventListener('input', () => onInput(made.value));
  // The component names itself "Text field" when it enters the page; its name is put back after that.
  requestAnimationFrame(() => made.setAttribute('aria-label', label));
  return made;
}

/** Something is being waited for. */
export const progressRing = (label: string): HTMLElement =>
  make<HTMLElement>('vscode-progress-ring', { title: label });

/** What the library lacks: a slider, 0…1. */
export function slider(label: string, onInput: (value: number) => void): HTMLInputElement {
  const made = element('input', {
    class: 'slider',
    title: label,
    attributes: { type: 'range', min: '0', max: '1', step: '0.01', 'aria-label': label },
  });
  made.addEventListener('input', () => onInput(made.valueAsNumber));
  return made;
}

/** What the library lacks: a whole number between 0 and a limit. */
export function numberField(label: string, onChange: (value: number) => void): HTMLInputElement {
  const made = element('input', {
    class: 'number',
    title: label,
    attributes: { type: 'number', min: '0', step: '1', 'aria-label': label },
  });
  made.addEventListener('change', () => {
    const limit = Number(made.max);
    const value = Math.min(Math.max(Math.round(made.valueAsNumber || 0), 0), limit);
    made.value = String(value);
    onChange(value);
  });
  return made;
}
