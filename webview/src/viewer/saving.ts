import type { PreprocessingSpec } from '../../../protocol/preprocessing';
import type { ViewerState } from '../../../protocol/views';
import type { Host } from '../lib/host';
import { saveNumbers, savePicture } from './exports';
import type { HeatmapTab } from './heatmap';
import { saveFigure, saveMap, saveRecord } from './heatmapExport';
import { recordOfAll } from './heatmapRecord';
import type { ModelFacts } from './modelFacts';
import type { Sources } from './sources';
import type { Shown } from './types';
import type { ExportKind } from './view';

/** What exports are made from, whichever tab is in front. */
export interface SavingParts {
  readonly host: Host<ViewerState>;
  readonly facts: ModelFacts;
  readonly heatmap: HeatmapTab;
  readonly sources: Sources;
}

/** Asks where, and writes what the tab shows; false where the person changed their mind. */
export async function saveShown(
  { host, facts, heatmap, sources }: SavingParts,
  shown: Shown,
  what: ExportKind,
  signal: AbortSignal,
): Promise<boolean> {
  if (shown.state.tab === 'heatmap') {
    const preprocessing = await facts.preprocessing(shown);
    const source = { ...heatmap.exportSource(shown), preprocessing };
    if (source.maps.length === 0) return false;
    if (what === 'picture') return saveFigure(source);
    if (what === 'record') return saveRecord(source);
    return heatmap.active ? saveMap(source, heatmap.active, signal) : false;
  }
  const { current, currentShown } = sources;
  if (!current || !currentShown) return false;
  // The look is the page's of now; layer and input are those of what is shown.
  const live = { ...currentShown, state: { ...currentShown.state, scale: shown.state.scale } };
  const { colorMap } = current.scale(null);
  return what === 'picture'
    ? savePicture(host, live, colorMap === 'rgb' ? 'grey' : colorMap, signal)
    : saveNumbers(host, live, current, signal);
}

/** What the tab shows, for "Copy as JSON"; without the numbers themselves. */
export async function recordShown(
  { facts, heatmap, sources }: SavingParts,
  now: Shown,
): Promise<unknown> {
  const preprocessing: readonly PreprocessingSpec[] = await facts.preprocessing(now);
  if (now.state.tab === 'heatmap')
    return recordOfAll({ maps: heatmap.exported(), state: now.state, preprocessing });
  const { model, layer, input, tab } = (sources.currentShown ?? now).state;
  return { model, layer, input, tab, preprocessing, result: sources.current?.record() };
}
