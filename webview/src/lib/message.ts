import { button, icon } from './controls';
import { element } from './dom';

/** One sentence in place of a picture or above it, with what can be done about it. */
export interface Message {
  readonly root: HTMLElement;
  show(text: string, actions: readonly MessageAction[]): void;
  hide(): void;
}
export interface MessageAction {
  readonly label: string;
  readonly run: () => void;
}

/** `line` stands above what stays visible and is spoken at once; `area` fills the place of what is not there. */
export function createMessage(kind: 'line' | 'area'): Message {
  const text = element('p', { class: 'message-text' });
  const actions = element('div', { class: 'message-actions' });
  const root = element(
    'div',
    { class: `message message-${kind}`, attributes: kind === 'line' ? { role: 'alert' } : {} },
    ...(kind === 'line' ? [icon('warning')] : []),
    text,
    actions,
  );
  root.hidden = true;
  return {
    root,
    show(sentence, list) {
      text.textContent = sentence;
      actions.replaceChildren(
        ...list.map((action, index) =>
          button({
            label: action.label,
            appearance: kind === 'area' && index === 0 ? 'primary' : 'secondary',
            onClick: action.run,
          }),
        ),
      );
      root.hidden = false;
    },
    hide() {
      root.hidden = true;
    },
  };
}
