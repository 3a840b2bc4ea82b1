import type { Progress } from '../../../protocol/rpc';
import { button } from './controls';
import { element } from './dom';

const STOP_AFTER_MS = 1000;

/** A thin bar over what is being computed; after a second there is a Stop. */
export interface Busy {
  readonly root: HTMLElement;
  /** Shows the bar until the work settles; gives what the work gives. */
  track<T>(work: Promise<T>, stop: () => void): Promise<T>;
  /** How far it is, where that is known. */
  report(progress: Progress): void;
}

/** @param onChange told when the first work begins and the last one ends, so that the picture can dim */
export function createBusy(onChange: (busy: boolean) => void): Busy {
  const stops = new Set<() => void>();
  const stopButton = button({
    label: 'Stop',
    icon: 'debug-stop',
    title: 'Stop computing; what is shown stays',
    onClick: () => {
      for (const stop of [...stops]) stop();
    },
  });
  const bar = element('div', {
    class: 'busy-bar',
    attributes: { role: 'progressbar', 'aria-label': 'Computing' },
  });
  const far = element('span', { class: 'busy-text', attributes: { 'aria-hidden': 'true' } });
  const side = element('div', { class: 'busy-side' }, far, stopButton);
  const root = element('div', { class: 'busy' }, bar, side);
  root.hidden = true;
  side.hidden = true;
  const show = ({ fraction, message }: Progress): void => {
    bar.classList.toggle('is-known', fraction !== null);
    bar.style.setProperty('--fraction', String(fraction ?? 0));
    if (fraction === null) bar.removeAttribute('aria-valuenow');
    else bar.setAttribute('aria-valuenow', String(Math.round(100 * fraction)));
    far.textContent = message ?? (fraction === null ? '' : `${Math.round(100 * fraction)} %`);
  };
  let timer: ReturnType<typeof setTimeout> | undefined;

  const begin = (): void => {
    root.hidden = false;
    show({ fraction: null });
    onChange(true);
    timer = setTimeout(() => {
      side.hidden = false;
    }, STOP_AFTER_MS);
  };
  const end = (): void => {
    clearTimeout(timer);
    root.hidden = true;
    side.hidden = true;
    onChange(false);
  };
  return {
    root,
    report: show,
    async track(work, stop) {
      if (stops.size === 0) begin();
      stops.add(stop);
      try {
        return await work;
      } finally {
        stops.delete(stop);
        if (stops.size === 0) end();
      }
    },
  };
}
