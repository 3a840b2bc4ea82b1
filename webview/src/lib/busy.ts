import { button } from './controls';
import { element } from './dom';

const STOP_AFTER_MS = 1000;

/** A thin bar over what is being computed; after a second there is a Stop. */
export interface Busy {
  readonly root: HTMLElement;
  /** Shows the bar until the work settles; gives what the work gives. */
  track<T>(work: Promise<T>, stop: () => void): Promise<T>;
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
  stopButton.hidden = true;
  const root = element('div', { class: 'busy' }, element('div', { class: 'busy-bar' }), stopButton);
  root.hidden = true;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const begin = (): void => {
    root.hidden = false;
    onChange(true);
    timer = setTimeout(() => {
      stopButton.hidden = false;
    }, STOP_AFTER_MS);
  };
  const end = (): void => {
    clearTimeout(timer);
    root.hidden = true;
    stopButton.hidden = true;
    onChange(false);
  };
  return {
    root,
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
