import { element } from './dom';

/** One short sentence for a screen reader, after whatever it is saying. */
export type Announce = (sentence: string) => void;

/** Adds the live region to the page. The same sentence twice is said twice. */
export function createAnnouncer(parent: HTMLElement): Announce {
  const region = element('div', {
    class: 'visually-hidden',
    id: 'announcements',
    attributes: { role: 'status', 'aria-live': 'polite', 'aria-atomic': 'true' },
  });
  parent.append(region);
  let last = '';
  return sentence => {
    const spoken = sentence === last ? `${sentence}\u00a0` : sentence;
    last = spoken;
    region.textContent = spoken;
  };
}
