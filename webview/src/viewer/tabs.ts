import type { ViewerTab } from '../../../protocol/views';
import { element } from '../lib/dom';

/** All tabs in their order; a digit is the key of each. */
export const TABS: readonly { readonly id: ViewerTab; readonly label: string }[] = [
  { id: 'filters', label: 'Filters' },
  { id: 'maps', label: 'Feature maps' },
  { id: 'heatmap', label: 'Heatmap' },
];

/** The tabs of the page (WAI-ARIA tabs): one is in the tab order, arrow keys go to the others. */
export interface Tabs {
  readonly root: HTMLElement;
  /** Marks the chosen tab; gives its id, which names the panel. */
  set(tab: ViewerTab): string;
  focus(tab: ViewerTab): void;
}

export function createTabs(onChoose: (tab: ViewerTab) => void): Tabs {
  const buttons = TABS.map((tab, index) => {
    const made = element('button', {
      class: 'tab',
      id: `tab-${tab.id}`,
      text: tab.label,
      title: `${tab.label} (${index + 1})`,
      attributes: { type: 'button', role: 'tab', 'aria-controls': 'frame' },
    });
    made.addEventListener('click', () => onChoose(tab.id));
    made.addEventListener('keydown', event => {
      const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? -1 : 0;
      const other = TABS[(index + step + TABS.length) % TABS.length];
      if (step === 0 || event.shiftKey || !other) return;
      event.preventDefault();
      event.stopPropagation();
      onChoose(other.id);
    });
    return made;
  });
  const root = element(
    'div',
    { class: 'tabs', attributes: { role: 'tablist', 'aria-label': 'What is shown of the layer' } },
    ...buttons,
  );
  const indexOf = (tab: ViewerTab): number => TABS.findIndex(entry => entry.id === tab);
  return {
    root,
    set(tab) {
      const chosen = indexOf(tab);
      buttons.forEach((made, index) => {
        made.setAttribute('aria-selected', String(index === chosen));
        made.tabIndex = index === chosen ? 0 : -1;
      });
      return buttons[chosen]?.id ?? '';
    },
    focus(tab) {
      buttons[indexOf(tab)]?.focus();
    },
  };
}
