import { element } from '../lib/dom';
import type { Agreement } from './heatmapAgreement';

/** How far the maps agree: a sentence for two, a matrix for more. */
export interface AgreementView {
  readonly root: HTMLElement;
  set(names: readonly string[], agreement: Agreement | null): void;
}

const TITLE =
  'Spearman’s rank correlation of what is shown, averaged to the coarsest grid: 1 where both rank all places alike, 0 where one says nothing of the other';

export function createAgreementView(): AgreementView {
  const root = element('div', { class: 'agreement', title: TITLE });
  return {
    root,
    set(names, agreement) {
      root.hidden = agreement === null;
      if (!agreement) return;
      const { rows, columns } = agreement.grid;
      const heading = `Rank correlation on ${rows}×${columns}`;
      const [[, value] = []] = agreement.matrix;
      root.classList.toggle('is-pair', names.length === 2);
      root.replaceChildren(
        names.length === 2
          ? element(
              'p',
              {},
              `${heading}: `,
              element('strong', {
                text: typeof value !== 'number' ? 'none, a map is constant' : valueText(value),
              }),
              element('span', { class: 'muted', text: ` ${names.join(' · ')}` }),
            )
          : table(heading, names, agreement.matrix),
      );
    },
  };
}

function table(
  heading: string,
  names: readonly string[],
  matrix: Agreement['matrix'],
): HTMLElement {
  const head = element(
    'tr',
    {},
    element('td'),
    ...names.map(name => element('th', { text: name, attributes: { scope: 'col' } })),
  );
  const lines = matrix.map((line, i) =>
    element(
      'tr',
      {},
      element('th', { text: names[i] ?? '', attributes: { scope: 'row' } }),
      ...line.map((value, j) => element('td', { text: i === j ? '1' : valueText(value) })),
    ),
  );
  return element(
    'table',
    { class: 'matrix' },
    element('caption', { text: heading }),
    element('thead', {}, head),
    element('tbody', {}, ...lines),
  );
}

const valueText = (value: number | null): string =>
  value === null ? '–' : value.toFixed(2).replace('-', '−');
