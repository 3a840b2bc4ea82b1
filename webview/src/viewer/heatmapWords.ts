import type { ExplainResult } from '../../../protocol/attribution';
import { ATTRIBUTION_FACTS } from '../../../protocol/attributionFacts';
import { gridText, type ShownMap } from '../lib/attributionMap';
import { formatMs, formatNumber, formatShape } from '../lib/format';
import { explainedWords } from '../lib/targetWords';
import { tagOf } from './heatmapModel';
import type { DetailsSection } from './detailsSection';

/** What is said of a map, in place and in the details. */

/** Names of the layers of a result: by label where the model's layers are known, else the tensor. */
export function layersText(result: ExplainResult, labelOf: (id: string) => string): string {
  const names = result.layers.map(({ id, tensor }) => (id === null ? tensor : labelOf(id)));
  return names.length > 2 ? `${names.length} layers` : names.join(' + ');
}

/** `Grad-CAM of “Samoyed” at layer4.1.conv2 · 7×7, upsampled ×32, bilinear · positive part · 41 ms`. */
export function statementOf(
  result: ExplainResult,
  shown: ShownMap,
  smooth: boolean,
  labels: readonly string[] | null,
  labelOf: (id: string) => string,
): string {
  const { method, layers, target, times } = result;
  const facts = ATTRIBUTION_FACTS[method];
  const what = facts.usesTarget ? ` of ${explainedWords(target, labels)}` : '';
  const where = layers.length > 0 ? ` at ${layersText(result, labelOf)}` : '';
  const grid = gridText(result);
  return [
    `${facts.label}${what}${where}`,
    grid.includes('upsampled') ? `${grid}, ${smooth ? 'bilinear' : 'nearest'}` : grid,
    shown.note,
    ...(result.approximate === null ? [] : ['approximate']),
    formatMs(times.totalMs),
  ].join(' · ');
}

/** `window 28, stride 14, baseline zero`: the options that a method used. */
export const settingsText = ({ options }: Pick<ExplainResult, 'options'>): string =>
  Object.entries(options)
    .map(([name, value]) => `${name} ${typeof value === 'number' ? formatNumber(value) : value}`)
    .join(', ');

/** What is written under a map that leaves the page: target, layer, grid, options, limits. */
export function captionOf(
  result: ExplainResult,
  shown: ShownMap,
  {
    smooth,
    labels,
    labelOf,
    isPartial,
  }: {
    readonly smooth: boolean;
    readonly labels: readonly string[] | null;
    readonly labelOf: (id: string) => string;
    readonly isPartial: boolean;
  },
): readonly string[] {
  const { method, target, layers, findings } = result;
  const facts = ATTRIBUTION_FACTS[method];
  const grid = gridText(result);
  const settings = settingsText(result);
  return [
    ...(tagOf(method) === '' ? [] : [tagOf(method)]),
    facts.usesTarget
      ? `of ${explainedWords(target, labels)}, score ${formatNumber(target.score)}`
      : 'whatever the target',
    ...(layers.length > 0 ? [`at ${layersText(result, labelOf)}`] : []),
    `${grid.includes('upsampled') ? `${grid}, ${smooth ? 'bilinear' : 'nearest'}` : grid}, ${shown.note}`,
    ...(settings === '' ? [] : [settings]),
    ...(isPartial ? ['Unfinished: the method was stopped.'] : []),
    ...(result.approximate === null ? [] : [result.approximate]),
    ...findings.map(({ message }) => message),
    `Limit: ${facts.limit}`,
    `Method: ${facts.source}`,
  ];
}

/** One sentence that stands for the picture where it cannot be seen. */
export function summaryOf(
  result: ExplainResult,
  { values, columns, rows }: ShownMap,
  labels: readonly string[] | null,
): string {
  let best = 0;
  for (let i = 1; i < values.length; i++)
    if ((values[i] ?? 0) > (values[best] ?? Number.NEGATIVE_INFINITY)) best = i;
  const place = `row ${Math.floor(best / columns) + 1}, column ${(best % columns) + 1} of ${rows}×${columns}`;
  const { label, usesTarget } = ATTRIBUTION_FACTS[result.method];
  const what = usesTarget ? ` of ${explainedWords(result.target, labels)}` : '';
  return `${label}${what}, strongest at ${place}`;
}

/** Everything a reviewer needs of one map. */
export function detailsOf(
  result: ExplainResult,
  labels: readonly string[] | null,
  labelOf: (id: string) => string,
): DetailsSection {
  const { method, target, layers, completeness, times } = result;
  const facts = ATTRIBUTION_FACTS[method];
  const element = target.index ? `[${target.index.join(', ')}]` : '';
  return {
    title: facts.label,
    rows: [
      ['Shows', facts.shows],
      ['Limit', facts.limit],
      ['Source', facts.source],
      ...(facts.usesTarget
        ? ([
            ['Target', explainedWords(target, labels)],
            ['Target tensor', `${target.tensor}${element}`],
            ['Score', formatNumber(target.score)],
          ] as const)
        : []),
      ...layers.map(
        ({ id, tensor }) =>
          ['Layer', id === null ? tensor : `${labelOf(id)} · tensor ${tensor}`] as const,
      ),
      ...(result.layerReason === null ? [] : [['Chosen because', result.layerReason] as const]),
      ['Native grid', gridText(result)],
      ['Values', `${formatNumber(result.minimum)} to ${formatNumber(result.maximum)}`],
      ...(completeness
        ? ([
            ['Sum of attributions', formatNumber(completeness.sum)],
            ['Change of the score', formatNumber(completeness.difference)],
            ['Completeness gap', percent(completeness.gap)],
          ] as const)
        : []),
      ...Object.entries(result.options).map(
        ([name, value]) => [`Option ${name}`, String(value)] as const,
      ),
      ...(result.approximate === null ? [] : [['Approximate', result.approximate] as const]),
      ['Load', formatMs(times.loadMs)],
      ['Run', formatMs(times.forwardMs)],
      ['Gradient', formatMs(result.gradientMs)],
      ['In all', formatMs(times.totalMs)],
      ...result.findings.map(({ message }) => ['Finding', message] as const),
      ...result.warnings.map(warning => ['Warning', warning] as const),
      ...(result.geometry
        ? [['Fed', formatShape([result.geometry.fed.height, result.geometry.fed.width])] as const]
        : []),
    ],
  };
}

/** `0.3 %`, not to be broken. */
export const percent = (share: number): string =>
  `${Math.abs(share) < 0.1 ? (100 * share).toFixed(1) : (100 * share).toFixed(0)}\u00a0%`;

const NUMBERS: ReadonlySet<string> = new Set([
  ...['map', 'magnitude', 'attribution', 'heatmap'],
  // Empty where a view asks for the native map only.
  ...['attributionShape', 'heatmapShape'],
]);

/** A result without its arrays, for JSON. */
export function recordOf(result: ExplainResult): Readonly<Record<string, unknown>> {
  const { label, family, shows, limit, source } = ATTRIBUTION_FACTS[result.method];
  const record = Object.entries(result).filter(([key]) => !NUMBERS.has(key));
  return { ...Object.fromEntries(record), about: { label, family, shows, limit, source } };
}
