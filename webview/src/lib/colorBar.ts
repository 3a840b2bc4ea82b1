import { colorTable, type ColorMap, type ValueRange } from '../../../protocol/colorMaps';
import { context2d, element } from './dom';
import { formatNumber } from './format';

/** Which colour stands for which value, and what the two ends are the ends of. */
export interface ColorBar {
  readonly root: HTMLElement;
  /**
   * `rgb` are filters in colour: the bar runs from the negative through grey to the positive end of each component. Without a range
   * each picture has its own; without a scale there is nothing to explain and the bar is hidden.
   */
  set(colorMap: ColorMap | 'rgb', range: ValueRange | null, scale: string): void;
}

export function createColorBar(): ColorBar {
  const canvas = element('canvas', { class: 'bar-colors', attributes: { 'aria-hidden': 'true' } });
  canvas.width = 256;
  canvas.height = 1;
  const low = element('span', { class: 'bar-end' });
  const high = element('span', { class: 'bar-end' });
  const note = element('span', { class: 'bar-scale' });
  const root = element(
    'div',
    { class: 'bar', attributes: { role: 'img' } },
    low,
    canvas,
    high,
    note,
  );
  return {
    root,
    set(colorMap, range, scale) {
      root.hidden = scale === '';
      const [from, to] = range
        ? [formatNumber(range.low), formatNumber(range.high)]
        : ['lowest', 'highest'];
      low.textContent = from;
      high.textContent = to;
      note.textContent = scale;
      root.setAttribute('aria-label', `Colours from ${from} to ${to}, ${scale}`);
      root.title = `${colorMap}, ${scale}`;
      const table = colorTable(colorMap === 'rgb' ? 'grey' : colorMap);
      const image = new ImageData(256, 1);
      for (let i = 0; i < 256; i++) {
        image.data.set(table.subarray(3 * i, 3 * i + 3), 4 * i);
        image.data[4 * i + 3] = 255;
      }
      context2d(canvas).putImageData(image, 0, 0);
    },
  };
}
