import type { ViewerTab } from '../../../protocol/views';
import { TABS } from './tabs';

export interface KeyActions {
  step(direction: -1 | 1): void;
  tab(tab: ViewerTab): void;
  back(): void;
  neighbour(direction: -1 | 1): void;
  /** True where the key moved the marked place. */
  moveProbe(key: string): boolean;
  isEnlarged(): boolean;
}

/** Keys of the whole page; fields and lists keep theirs. */
export function listenToKeys(actions: KeyActions): void {
  document.addEventListener('keydown', event => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event)) return;
    if (handle(event, actions)) event.preventDefault();
  });
}

function handle(event: KeyboardEvent, actions: KeyActions): boolean {
  const { key } = event;
  const arrow = key.startsWith('Arrow');
  if (arrow && event.shiftKey) return actions.moveProbe(key);
  const tab = TABS[Number(key) - 1];
  if (key === '[' || key === ']') actions.step(key === '[' ? -1 : 1);
  else if (tab) actions.tab(tab.id);
  else if (key === 'Escape') actions.back();
  else if (arrow && actions.isEnlarged())
    actions.neighbour(key === 'ArrowLeft' || key === 'ArrowUp' ? -1 : 1);
  else return false;
  return true;
}

const isTyping = (event: KeyboardEvent): boolean => {
  const target = event.composedPath()[0];
  if (!(target instanceof HTMLElement)) return false;
  if (target.closest('input, select, vscode-dropdown')) return true;
  return (
    event.key.startsWith('Arrow') && !event.shiftKey && target.closest('[role=tablist]') !== null
  );
};
