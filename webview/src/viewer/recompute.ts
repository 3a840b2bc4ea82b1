import type { RecomputeResult } from '../../../protocol/methods';
import { element } from '../lib/dom';
import { formatCell, formatNumber, formatShape } from '../lib/format';
import { contributions } from './model';

/** How many input channels are written out. */
const SHOWN = 4;

/** The sum that a convolution is, beside what the run gave. */
export function recomputePanel(result: RecomputeResult, title: string): HTMLElement {
  const all = contributions(result);
  const shown = all.slice(0, SHOWN);
  const rest = all.slice(SHOWN).reduce((total, part) => total + part.sum, 0);
  const columns = result.shape.at(-1) ?? 1;
  const difference = Math.abs(result.difference);
  return element(
    'section',
    { class: 'recompute', attributes: { 'aria-label': title } },
    element('h2', { text: title }),
    element(
      'p',
      { class: 'recompute-total' },
      `Sum ${formatNumber(result.sum)} · run ${formatNumber(result.value)} · difference ${formatNumber(difference)}`,
    ),
    ...shown.map(part =>
      element(
        'div',
        { class: 'recompute-part' },
        element('span', { class: 'recompute-name', text: `input ${part.channel}` }),
        matrix(part.window, columns, 'window'),
        element('span', { text: '×' }),
        matrix(part.kernel, columns, 'kernel'),
        element('span', { class: 'recompute-sum', text: `= ${formatNumber(part.sum)}` }),
      ),
    ),
    element(
      'p',
      {},
      ...(all.length > SHOWN
        ? [`${all.length - SHOWN} other input channels ${formatNumber(rest)} · `]
        : []),
      `bias ${formatNumber(result.bias)}`,
    ),
    ...result.notes.map(note => element('p', { text: note })),
    element('p', {
      class: 'muted',
      text: `Window ${formatShape(result.shape)} of ${result.inputTensor}; padding counts as 0.`,
    }),
  );
}

function matrix(values: Float32Array, columns: number, name: string): HTMLElement {
  const table = element('table', { class: 'matrix', attributes: { 'aria-label': name } });
  for (let start = 0; start < values.length; start += columns)
    table.append(
      element(
        'tr',
        {},
        ...Array.from(values.subarray(start, start + columns), value =>
          element('td', { text: formatCell(value) }),
        ),
      ),
    );
  return table;
}
