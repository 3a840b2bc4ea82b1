import { createColorBar } from '../lib/colorBar';
import { button, icon, iconButton, type Button } from '../lib/controls';
import { element } from '../lib/dom';
import type { MessageAction } from '../lib/message';
import { InputPicture } from '../lib/picture';

/** A sentence under a map, with what can be done about it. */
export interface PaneMessage {
  readonly severity: 'information' | 'warning';
  readonly text: string;
  readonly actions: readonly MessageAction[];
}

/** What a pane says. */
export interface PaneWords {
  readonly title: string;
  readonly tag: string;
  readonly where: string;
  readonly caption: string;
  /** The options that the method used, in one line. */
  readonly settings: string;
  /** How far an attribution misses what it should add up to. */
  readonly gap: { readonly text: string; readonly isBad: boolean } | null;
  /** The value under the probe. */
  readonly value: string;
  readonly limit: string;
  readonly misleads: boolean;
  readonly messages: readonly PaneMessage[];
  readonly isActive: boolean;
  readonly canRemove: boolean;
  readonly isBusy: boolean;
  /** What is shown is not what was asked for, or nothing is. */
  readonly isStale: boolean;
}

export interface PaneActions {
  choose(): void;
  remove(): void;
}

/** One map on the picture: its name, the picture, the value bar, what is to be known of it. */
export class HeatmapPaneView {
  readonly root: HTMLElement;
  readonly picture = new InputPicture();
  readonly bar = createColorBar();
  private readonly title = element('span', { class: 'pane-name' });
  private readonly tag = element('span', { class: 'pane-tag' });
  private readonly where = element('span', { class: 'pane-where' });
  private readonly head: HTMLButtonElement;
  private readonly close: Button;
  private readonly area: HTMLElement;
  private readonly caption = element('p', { class: 'pane-caption' });
  private readonly settings = element('p', { class: 'pane-settings' });
  private readonly value = element('output', { class: 'pane-value' });
  private readonly limit = element('p', { class: 'pane-limit' });
  private readonly messages = element('div', { class: 'pane-messages' });
  private said = '';

  constructor(actions: PaneActions) {
    this.head = element(
      'button',
      { class: 'pane-head', attributes: { type: 'button' } },
      this.title,
      this.tag,
      this.where,
    );
    this.head.addEventListener('click', () => actions.choose());
    this.close = iconButton({
      label: 'Remove from the comparison',
      icon: 'close',
      onClick: () => actions.remove(),
    });
    this.area = element('div', { class: 'pane-picture' }, this.picture.root, this.value);
    this.area.addEventListener('pointerdown', () => actions.choose());
    this.root = element(
      'section',
      { class: 'pane' },
      element('div', { class: 'pane-line' }, this.head, this.close),
      this.area,
      this.bar.root,
      element(
        'div',
        { class: 'pane-words' },
        this.caption,
        this.messages,
        this.settings,
        this.limit,
      ),
    );
  }

  update(words: PaneWords): void {
    this.root.setAttribute('aria-label', `${words.title} ${words.where}`);
    this.root.classList.toggle('is-active', words.isActive);
    this.area.classList.toggle('is-stale', words.isStale);
    this.area.setAttribute('aria-busy', String(words.isBusy));
    this.title.textContent = words.title;
    this.tag.textContent = words.tag;
    this.tag.hidden = words.tag === '';
    this.where.textContent = words.where;
    this.head.title = `${words.title} ${words.where}`.trim();
    this.head.setAttribute('aria-pressed', String(words.isActive));
    this.close.hidden = !words.canRemove;
    this.caption.replaceChildren(
      words.caption,
      ...(words.gap
        ? [element('span', { class: words.gap.isBad ? 'gap is-bad' : 'gap', text: words.gap.text })]
        : []),
    );
    this.settings.textContent = words.settings;
    this.value.textContent = words.value;
    this.limit.replaceChildren(...(words.misleads ? [icon('warning')] : []), words.limit);
    this.limit.classList.toggle('is-warning', words.misleads);
    this.say(words.messages);
  }

  /** The shape of the picture, so that the pane has its place before the picture is there. */
  setAspect(aspect: number): void {
    this.area.style.aspectRatio = String(aspect);
  }

  /** Scrolls to the picture where it is out of sight. */
  reveal(): void {
    this.area.scrollIntoView({ block: 'nearest' });
  }

  dispose(): void {
    this.picture.dispose();
    this.root.remove();
  }

  /** Buttons are made anew only when the sentences change: one that has the focus keeps it. */
  private say(messages: readonly PaneMessage[]): void {
    const key = JSON.stringify(
      messages.map(({ text, actions }) => [text, actions.map(a => a.label)]),
    );
    if (key === this.said) return;
    this.said = key;
    this.messages.replaceChildren(
      ...messages.map(({ severity, text, actions }) =>
        element(
          'div',
          { class: `finding finding-${severity}` },
          icon(severity === 'warning' ? 'warning' : 'info'),
          element('p', { text }),
          ...actions.map(({ label, run }) => button({ label, onClick: run })),
        ),
      ),
    );
  }
}
