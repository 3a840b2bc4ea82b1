import type { Finding, Remedy } from '../../../../protocol/attribution';
import { ATTRIBUTION_FACTS } from '../../../../protocol/attributionFacts';
import { toFloat32 } from '../../onnx/numbers';
import { valuesOf, type Finished } from './finished';
import type { LayerGrid } from './layerGrid';
import { suggestedLayers } from './suggestedLayer';
import { resolved } from './targets';

const wordsOf = ({ request, value }: Finished): string => resolved(request.target, value).words;

/** What the map is of, as a person names it. */
const placeOf = ({ request, attribution }: Finished): string => {
  const grids = attribution.kind === 'layer' ? request.grids : [attribution.grid];
  return grids.map(({ tensor }) => `"${tensor}"`).join(', ');
};

/** No gradient can reach what is explained. */
export function noPathFinding(finished: Finished): Finding | null {
  if (!finished.attribution.noPath) return null;
  const method = finished.attribution.kind === 'layer' ? 'score-cam' : 'occlusion';
  const { label } = ATTRIBUTION_FACTS[method];
  return {
    kind: 'noPath',
    severity: 'warning',
    message: `No gradient leads from ${placeOf(finished)} to ${wordsOf(finished)}: the target does not depend on it, or only through whole numbers and comparisons; ${label} needs none.`,
    remedy: { kind: 'method', title: `Use ${label}`, method },
  };
}

/** A map that is the same everywhere: the layer is dead, or no gradient arrives. */
export async function emptyMapFinding(finished: Finished): Promise<Finding | null> {
  const { request, attribution, method } = finished;
  const parts = valuesOf(finished);
  if (parts.length === 0 || !parts.every(isConstant)) return null;
  const level = parts[0]?.[0] ?? 0;
  const [grid] = request.grids;
  if (attribution.kind === 'layer' && grid) {
    if (grid.positions === 1)
      return {
        kind: 'onePlace',
        severity: 'warning',
        message: `"${grid.tensor}" has one place only, so its map says nothing about where; choose a layer before the pooling.`,
        ...remedyOf(suggestedRemedy(finished)),
      };
    const dead = await deadFinding(finished, grid);
    if (dead) return dead;
    if (level === 0 && grid.view.prefixTokens > 0 && attribution.zeroGradient)
      return {
        kind: 'empty',
        severity: 'warning',
        message: `Only the tokens in front of the grid of "${grid.tensor}" lead to ${wordsOf(finished)}, so no place of the picture gets anything; choose a layer before the last attention.`,
        ...remedyOf(suggestedRemedy(finished)),
      };
  }
  if (level !== 0)
    return {
      kind: 'empty',
      severity: 'warning',
      message: `Every place of the map has the same value (${Number(level.toPrecision(3))}), so it shows no difference between them.`,
    };
  if (method === 'guided-grad-cam')
    return {
      kind: 'empty',
      severity: 'warning',
      message: `Grad-CAM at "${grid?.tensor ?? ''}" is nowhere positive for ${wordsOf(finished)}, or guided backprop reaches no pixel: their product is zero everywhere.`,
      remedy: { kind: 'method', title: 'Use Grad-CAM', method: 'grad-cam' },
    };
  const { family, gradients } = ATTRIBUTION_FACTS[method];
  if (!gradients)
    return {
      kind: 'empty',
      severity: 'warning',
      message: `The score of ${wordsOf(finished)} is the same whatever is hidden, so the map is zero everywhere.`,
    };
  const other = family === 'gradient' ? 'occlusion' : 'score-cam';
  return {
    kind: 'empty',
    severity: 'warning',
    message: `The gradient of ${wordsOf(finished)} at ${placeOf(finished)} is zero everywhere: for this input every way between them is switched off by a rectifier or saturated.`,
    remedy: { kind: 'method', title: `Use ${ATTRIBUTION_FACTS[other].label}`, method: other },
  };
}

async function deadFinding(finished: Finished, grid: LayerGrid): Promise<Finding | null> {
  const { derivatives } = finished.request;
  const tensor = (await derivatives.values([grid.tensor])).get(grid.tensor);
  if (!tensor) return null;
  const values = toFloat32(tensor);
  if (!isConstant(values)) return null;
  return {
    kind: 'dead',
    severity: 'warning',
    message: `"${grid.tensor}" is ${values[0] ?? 0} everywhere for this input, so there is nothing to be weighted; choose another layer.`,
    ...remedyOf(suggestedRemedy(finished)),
  };
}

/** A map that speaks against the target everywhere, or of one place only. */
export function mapFinding(finished: Finished): Finding | null {
  const { attribution, method } = finished;
  if (attribution.kind !== 'layer' || !ATTRIBUTION_FACTS[method].usesTarget) return null;
  const parts = valuesOf(finished);
  if (parts.length > 0 && parts.every(values => values.every(isNotPositive)))
    return {
      kind: 'negative',
      severity: 'warning',
      message: `The heatmap is empty: every value is negative for ${wordsOf(finished)}, so nothing at ${placeOf(finished)} speaks for it.`,
      remedy: { kind: 'signed', title: 'Show Signed' },
    };
  const [map] = attribution.maps;
  const filled = [...(parts[0] ?? []).entries()].filter(([, value]) => value !== 0);
  const [place = 0] = filled[0] ?? [];
  if (!map || parts.length > 1 || filled.length !== 1) return null;
  const { columns } = map.grid;
  return {
    kind: 'onePlace',
    severity: 'information',
    message: `Only one place of ${placeOf(finished)} leads to ${wordsOf(finished)}: row ${Math.floor(place / columns)}, column ${place % columns}.`,
  };
}

const isNotPositive = (value: number): boolean => value <= 0;
const isConstant = (values: Float32Array): boolean => values.every(value => value === values[0]);

/** The layer that is suggested, unless the map is of that. */
function suggestedRemedy({ request }: Finished): Remedy | null {
  const { context, derivatives, target, grids } = request;
  const suggested = suggestedLayers(context.layers, derivatives, target).at(-1);
  if (!suggested || grids.some(({ tensor }) => tensor === suggested.grid.tensor)) return null;
  const { id } = suggested.layer;
  return { kind: 'layer', title: `Use ${id}`, layer: id };
}

const remedyOf = (remedy: Remedy | null): { readonly remedy?: Remedy } =>
  remedy ? { remedy } : {};
