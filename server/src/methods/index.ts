import { activationHeatmap } from './activationHeatmap';
import { attention } from './attention/attention';
import { attentionMap } from './attention/attentionMap';
import { attentionMatrices } from './attention/attentionMatrices';
import { attentionToken } from './attention/attentionToken';
import { attentionValues } from './attention/attentionValues';
import { headAblation } from './attention/headAblation';
import { attributionTargets } from './attributionTargets';
import { channel } from './channel';
import { explain } from './explain';
import { featureMaps } from './featureMaps';
import { featureMapTiles } from './featureMapTiles';
import { filters } from './filters';
import { hoverPictures } from './hoverPictures';
import { layerHeatmaps } from './layerHeatmaps';
import { layerStrengths } from './layerStrengths';
import { picture } from './picture';
import { predict } from './predict';
import { preprocess } from './preprocess';
import { probe } from './probe';
import { recompute } from './recompute';
import { renderGrid } from './renderGrid';
import { renderHeatmap } from './renderHeatmap';
import { tensors } from './tensors';
import { weights } from './weights';

/** Every method of the engine, sorted by name. */
export const methods = [
  activationHeatmap,
  attention,
  attentionMap,
  attentionMatrices,
  attentionToken,
  attentionValues,
  attributionTargets,
  channel,
  explain,
  featureMaps,
  featureMapTiles,
  filters,
  headAblation,
  hoverPictures,
  layerHeatmaps,
  layerStrengths,
  picture,
  predict,
  preprocess,
  probe,
  recompute,
  renderGrid,
  renderHeatmap,
  tensors,
  weights,
] as const;
