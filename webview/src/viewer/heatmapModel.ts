import type {
  AttributionMethod,
  AttributionOptions,
  AttributionTargetsResult,
  Remedy,
} from '../../../protocol/attribution';
import { ATTRIBUTION_FACTS, ATTRIBUTION_METHODS } from '../../../protocol/attributionFacts';
import type { WireError } from '../../../protocol/errors';
import type { ViewParams } from '../../../protocol/server';
import type { HeatmapPane, HeatmapState, ViewerState } from '../../../protocol/views';
import { targetOnOtherInput } from '../lib/targetWords';
import { keepsOption } from './heatmapOptions';

/** Pure parts of the Heatmap tab: what is shown side by side, and what is asked for it. */

export const MOST_PANES = 4;

/** Two families from the start: where the layer answers for the target, and what the score loses without each place. */
const FIRST_METHODS: readonly AttributionMethod[] = ['grad-cam', 'occlusion'];

const paneOf = (id: number, method: AttributionMethod): HeatmapPane => ({
  id,
  method,
  layers: [],
  options: {},
});

/** What the tab shows for a state: what was chosen as far as it means something for this model and input, else the beginning. */
export function heatmapOf({ heatmap, model, input }: ViewerState): HeatmapState {
  const look = {
    part: heatmap?.part ?? 'strength',
    smooth: heatmap?.smooth ?? true,
    grid: heatmap?.grid ?? true,
  } as const;
  if (heatmap?.model !== model) {
    const panes = FIRST_METHODS.map((method, id) => paneOf(id, method));
    return { ...look, model, input, panes, active: 0, target: { kind: 'top' } };
  }
  const target = heatmap.input === input ? heatmap.target : targetOnOtherInput(heatmap.target);
  return { ...heatmap, input, target };
}

export const activePane = (heatmap: HeatmapState): HeatmapPane =>
  heatmap.panes.find(pane => pane.id === heatmap.active) ??
  heatmap.panes[0] ??
  paneOf(0, 'grad-cam');

/** The heatmap with its active pane changed. */
export function withPane(
  heatmap: HeatmapState,
  id: number,
  change: Partial<Omit<HeatmapPane, 'id'>>,
): HeatmapState {
  const panes = heatmap.panes.map(pane => (pane.id === id ? { ...pane, ...change } : pane));
  return { ...heatmap, panes };
}

/**
 * Another method in a pane; options that it knows too stay. The gradient says how sensitive the score is to small changes only, so that what
 * happens when places are really taken away stands beside it.
 */
export function withMethod(
  heatmap: HeatmapState,
  id: number,
  method: AttributionMethod,
): HeatmapState {
  const pane = heatmap.panes.find(each => each.id === id);
  const kept = Object.entries(pane?.options ?? {}).filter(([key]) => keepsOption(method, key));
  const options: AttributionOptions = Object.fromEntries(kept);
  const changed = withPane(heatmap, id, { method, options });
  const hasOcclusion = changed.panes.some(each => each.method === 'occlusion');
  if (method !== 'gradient' || hasOcclusion || changed.panes.length >= MOST_PANES) return changed;
  return { ...addPane(changed, { method: 'occlusion', layers: [] }), active: id };
}

/** One more pane, which becomes the active one; nothing where there is no room. */
export function addPane(
  heatmap: HeatmapState,
  { method, layers }: Pick<HeatmapPane, 'method' | 'layers'>,
): HeatmapState {
  if (heatmap.panes.length >= MOST_PANES) return heatmap;
  const id = Math.max(-1, ...heatmap.panes.map(pane => pane.id)) + 1;
  return {
    ...heatmap,
    panes: [...heatmap.panes, { ...paneOf(id, method), layers }],
    active: id,
  };
}

/** Without a pane; the last one stays. */
export function removePane(heatmap: HeatmapState, id: number): HeatmapState {
  const panes = heatmap.panes.filter(pane => pane.id !== id);
  const [first] = panes;
  if (!first) return heatmap;
  const active = panes.some(pane => pane.id === heatmap.active) ? heatmap.active : first.id;
  return { ...heatmap, panes, active };
}

/** Whether a method looks at a layer: those that map one, and guided Grad-CAM, which is weighted by one. */
export const usesLayer = (method: AttributionMethod): boolean =>
  ATTRIBUTION_FACTS[method].of === 'layer' || method === 'guided-grad-cam';

/** Stands for the viewer's layer in the layer menu. */
export const FOLLOWS_VIEWER = '';

/** The chosen layers after one was clicked, in the model's order; the viewer's layer stands alone. */
export function toggledLayers(
  chosen: readonly string[],
  clicked: string,
  all: readonly { readonly id: string }[],
): readonly string[] {
  if (clicked === FOLLOWS_VIEWER) return [];
  const next = chosen.includes(clicked)
    ? chosen.filter(id => id !== clicked)
    : [...chosen, clicked];
  const order = (id: string): number => all.findIndex(layer => layer.id === id);
  return [...next].sort((a, b) => order(a) - order(b));
}

/** What is asked for a pane. */
export function explainParams(
  state: ViewerState,
  heatmap: HeatmapState,
  pane: HeatmapPane,
): ViewParams<'explain'> {
  const { method, options } = pane;
  const layers = pane.layers.length > 0 ? pane.layers : [state.layer];
  return {
    model: state.model,
    input: state.input,
    method,
    layers: usesLayer(method) ? layers : [],
    target: ATTRIBUTION_FACTS[method].usesTarget ? heatmap.target : { kind: 'top' },
    ...(Object.keys(options).length > 0 ? { options } : {}),
    want: 'map',
    ...(method === 'grad-cam' && layers.length === 1 ? { ahead: true } : {}),
  };
}

/** A pane is asked for again when this changes. */
export const paneKey = (params: ViewParams<'explain'>, revision: number): string =>
  JSON.stringify([params, revision]);

/** What the comparison menu offers: the methods that are not there yet, other families first, then other layers for the active pane. */
export function comparisons(
  heatmap: HeatmapState,
  layers: readonly { readonly id: string; readonly label: string }[],
): readonly (Pick<HeatmapPane, 'method' | 'layers'> & { readonly label: string })[] {
  const active = activePane(heatmap);
  const { family } = ATTRIBUTION_FACTS[active.method];
  const left = ATTRIBUTION_METHODS.filter(
    method => !heatmap.panes.some(pane => pane.method === method),
  );
  const isOther = (method: AttributionMethod): boolean =>
    ATTRIBUTION_FACTS[method].family !== family;
  const methods = [...left.filter(isOther), ...left.filter(method => !isOther(method))];
  return [
    ...methods.map(method => ({
      method,
      layers: active.layers,
      label: ATTRIBUTION_FACTS[method].label,
    })),
    ...(usesLayer(active.method)
      ? layers.map(({ id, label }) => ({ method: active.method, layers: [id], label }))
      : []),
  ];
}

/** The next steps where a pane could not be computed, besides the action that the error itself has. */
export function remediesOf(
  error: WireError,
  pane: HeatmapPane,
  layer: string,
  suggested: AttributionTargetsResult['suggestedLayer'],
): readonly Remedy[] {
  const shown = pane.layers[0] ?? layer;
  if (error.code === 'noGrid' || error.code === 'noPath' || error.code === 'layerNotFound')
    return suggested && suggested.layer !== shown
      ? [{ kind: 'layer', title: 'Use the Suggested Layer', layer: suggested.layer }]
      : [];
  if (error.code !== 'noGradient') return [];
  return [
    ...(usesLayer(pane.method)
      ? [{ kind: 'method', title: 'Eigen-CAM', method: 'eigen-cam' } as const]
      : []),
    ...(pane.method === 'occlusion'
      ? []
      : [{ kind: 'method', title: 'Occlusion', method: 'occlusion' } as const]),
  ];
}

/** What a method is to be told of beside its name, where a look alone misleads. */
export const tagOf = (method: AttributionMethod): string =>
  method === 'gradient' ? 'local sensitivity' : '';

/** Methods whose look misleads: their limit is a warning. */
export const misleads = (method: AttributionMethod): boolean =>
  method === 'guided-backprop' || method === 'deconvolution' || method === 'guided-grad-cam';
