import type { Operators } from '../../gradient/operators';
import type { PlannedQuestion } from '../../gradient/plan';
import type { Value } from '../../gradient/value';
import { toFloat32 } from '../../onnx/numbers';
import type { Attribution } from './attributor';
import type { Derivatives } from './derivatives';
import type { LayerGrid } from './layerGrid';
import type { Target } from './targets';

/**
 * Grad-CAM of many layers from one run: the backward pass visits them anyway, and the weighting of the channels (see gradCam.ts) is written
 * into the graph, so that only small maps leave it.
 */
export const layerCamsQuestion = (target: Target, grids: readonly LayerGrid[]): PlannedQuestion => {
  const byName = new Map(grids.map(grid => [grid.tensor, grid]));
  return {
    target: target.tensor,
    withRespectTo: grids.map(grid => grid.tensor),
    mode: 'gradient',
    top: target.seed.kind === 'top',
    whole: true,
    reduce: {
      name: 'grad-cam',
      emit: (e, activation, gradient) => {
        const grid = byName.get(activation.name);
        if (!grid) throw new Error(`${activation.name} has no grid`);
        return emitCam(e, grid, activation, gradient);
      },
    },
  };
};

/** True for floats in layouts that the graph can weight; the others are explained one by one. */
export const isWeightable = (
  derivatives: Derivatives,
  { tensor, view, shape }: LayerGrid,
): boolean =>
  derivatives.isFloat(tensor) &&
  (((view.layout === 'NCHW' || view.layout === 'NHWC') && shape.length === 4) ||
    (view.layout === 'tokens' && shape.length === 3 && view.channelStride === 1));

/** Σ_c mean_ij(G_c) · A_c as [images, positions]. */
function emitCam(e: Operators, grid: LayerGrid, activation: Value, gradient: Value): Value {
  const { images, channels, positions, view } = grid;
  if (view.layout === 'NCHW') {
    const planes = (value: Value): Value => e.reshape(value, [images, channels, positions]);
    const weights = e.reshape(e.reduceMean(planes(gradient), [2]), [images, 1, channels]);
    return e.reshape(e.matMul(weights, planes(activation)), [images, positions]);
  }
  const { prefixTokens } = view;
  const places = (value: Value): Value => {
    const kept =
      prefixTokens > 0 ? e.slice(value, [prefixTokens], [prefixTokens + positions], [1]) : value;
    return e.reshape(kept, [images, positions, channels]);
  };
  const weights = e.reshape(e.reduceMean(places(gradient), [1]), [images, channels, 1]);
  return e.reshape(e.matMul(places(activation), weights), [images, positions]);
}

/** The map of a layer that a run of all layers kept for this target; null where there is none. */
export async function keptCam(
  derivatives: Derivatives,
  target: Target,
  grid: LayerGrid,
  all: readonly LayerGrid[],
): Promise<Attribution | null> {
  if (!all.some(({ tensor }) => tensor === grid.tensor)) return null;
  const run = await derivatives.keptGradients(layerCamsQuestion(target, all), target.seed);
  const map = run?.gradients.get(grid.tensor);
  if (!run || !map) return null;
  const values = toFloat32(map);
  return { kind: 'layer', maps: [{ grid, values }], value: run.target, options: {} };
}
