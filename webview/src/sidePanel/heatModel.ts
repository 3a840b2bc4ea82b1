import type { ExplainResult, TargetSpec } from '../../../protocol/attribution';
import {
  ATTRIBUTION_FACTS,
  ATTRIBUTION_METHODS,
  isAttributionMethod,
} from '../../../protocol/attributionFacts';
import type { ErrorCode } from '../../../protocol/errors';
import type { ActivationHeatmapResult } from '../../../protocol/methods';
import type { ViewParams } from '../../../protocol/server';
import type {
  PanelMethod,
  ShownPart,
  SidePanelSituation,
  SidePanelState,
} from '../../../protocol/views';
import { gridText, shownMap, type ShownMap } from '../lib/attributionMap';
import { formatMs } from '../lib/format';
import { rangeFor, resolveColorMap } from '../lib/heat';
import type { PickerItem } from '../lib/pickerModel';
import {
  explainedWords,
  targetItems,
  targetOnOtherInput,
  targetValue,
  targetWords,
  type KnownTargets,
} from '../lib/targetWords';
import type { PanelMenus } from './types';

/** Pure parts of the panel's heatmap: what is asked, what stands in for it, what is said of it. */

/** What is painted: an attribution, or how strongly each place answers and why that. */
export type Heat =
  | { readonly kind: 'explained'; readonly result: ExplainResult }
  | {
      readonly kind: 'activation';
      readonly result: ActivationHeatmapResult;
      /** One sentence: why not what was asked for. Null where this was asked for. */
      readonly instead: string | null;
    };

/** Methods that the panel follows the cursor with: those that give a map at once. */
const METHODS = ATTRIBUTION_METHODS.filter(
  method => !ATTRIBUTION_FACTS[method].refines && ATTRIBUTION_FACTS[method].of === 'layer',
);

export const isPanelMethod = (value: string): value is PanelMethod =>
  value === 'activation' || (isAttributionMethod(value) && METHODS.includes(value));

/** The method of a state, Grad-CAM where a name is not (or no longer) one of the panel's. */
export const panelMethod = ({ method }: Pick<SidePanelState, 'method'>): PanelMethod =>
  isPanelMethod(method) ? method : 'grad-cam';

/** The chosen target as far as it means something for this model and input. */
export function panelTarget(
  { target }: Pick<SidePanelState, 'target'>,
  { model, input }: Pick<SidePanelSituation, 'model' | 'input'>,
): TargetSpec {
  if (!target || target.model !== model) return { kind: 'top' };
  return target.input === input ? target.spec : targetOnOtherInput(target.spec);
}

/** What is asked for an attribution of the layer at the caret. */
export const explainAtCaret = (
  state: SidePanelState,
  model: string,
  layer: string,
  input: string | null,
): ViewParams<'explain'> | null => {
  const method = panelMethod(state);
  if (method === 'activation') return null;
  const target = panelTarget(state, { model, input });
  return { model, input, method, layers: [layer], target, want: 'map', ahead: true };
};

/** Where an attribution cannot be had of a layer, the layer's activation stands in for it: these say nothing of the model as such. */
const STANDS_IN: ReadonlySet<ErrorCode> = new Set([
  'noGrid',
  'noGradient',
  'noPath',
  'unsupported',
  'layerNotFound',
  'outOfRange',
]);
export const activationStandsIn = (code: ErrorCode): boolean => STANDS_IN.has(code);

/** The sentence that says so. */
export const insteadText = (code: ErrorCode, message: string): string =>
  code === 'noGrid'
    ? 'No grid to lay a map on: shown is how strongly the layer answers.'
    : `${message.replace(/\.?$/, '.')} Shown instead: how strongly each place answers.`;

/** The map that is painted. */
export function heatMap(heat: Heat, part: ShownPart, colors: string): ShownMap {
  if (heat.kind === 'explained') return shownMap(heat.result, part, colors);
  const { rows, columns, values, minimum, maximum } = heat.result;
  const measured = { low: minimum, high: maximum };
  const colorMap = resolveColorMap(colors, measured);
  const range = rangeFor(colorMap, measured);
  return { rows, columns, values, range, colorMap, note: 'mean |activation|' };
}

/** `Grad-CAM of “Samoyed” · 7×7, upsampled ×32, bilinear · 12 ms`. */
export function heatNote(heat: Heat, labels: readonly string[] | null): string {
  if (heat.kind === 'activation') {
    const { rows, columns, times, notes } = heat.result;
    const size = `${rows}×${columns}, bilinear`;
    return ['mean |activation|', size, formatMs(times.totalMs), ...notes].join(' · ');
  }
  const { method, target, times, approximate } = heat.result;
  const { label, usesTarget } = ATTRIBUTION_FACTS[method];
  return [
    usesTarget ? `${label} of ${explainedWords(target, labels)}` : label,
    `${gridText(heat.result)}, bilinear`,
    ...(approximate === null ? [] : ['approximate']),
    formatMs(times.totalMs),
  ].join(' · ');
}

const ACTIVATION: PickerItem = {
  value: 'activation',
  label: 'Activation',
  description:
    'How strongly each place answers, whatever the target: the mean magnitude over all channels.',
};

const methodItems = (): readonly PickerItem[] => [
  ...METHODS.map(method => {
    const { label, shows, limit } = ATTRIBUTION_FACTS[method];
    return { value: method, label, description: `${shows} ${limit}` };
  }),
  ACTIVATION,
];

/** @param known what can be explained on this picture, as far as it is known */
export function panelMenus(
  situation: SidePanelSituation,
  state: SidePanelState,
  known: KnownTargets,
): PanelMenus {
  const method = panelMethod(state);
  const facts = method === 'activation' ? null : ATTRIBUTION_FACTS[method];
  const target = panelTarget(state, situation);
  return {
    method: facts?.label ?? ACTIVATION.label,
    methodTitle: facts ? `${facts.shows} ${facts.limit}` : (ACTIVATION.description ?? ''),
    methods: methodItems,
    chosenMethod: method,
    target: facts?.usesTarget ? targetWords(target, known) : null,
    targets: () => targetItems(known),
    chosenTarget: targetValue(target),
  };
}
