import { Derivatives } from './attribution/derivatives';
import { isWeightable, layerCamsQuestion } from './attribution/layerCams';
import { gridLayers } from './attribution/suggestedLayer';
import { resolveTarget } from './attribution/targets';
import type { Method } from './method';

/** Grad-CAM of every layer with a grid, from one run that the engine keeps: see `LayerHeatmapsParams`. */
export const layerHeatmaps: Method<'layerHeatmaps'> = {
  name: 'layerHeatmaps',
  runs: true,
  async compute(params, context) {
    const started = performance.now();
    const derivatives = await Derivatives.open(context, params.feeds, true);
    const target = await resolveTarget(params.target, derivatives, context);
    const layers = gridLayers(context.layers, derivatives, target.tensor).filter(
      ({ layer, grid }) =>
        isWeightable(derivatives, grid) && (params.layers?.includes(layer.id) ?? true),
    );
    const grids = layers.map(({ grid }) => grid);
    if (grids.length > 0)
      await derivatives.gradients(layerCamsQuestion(target, grids), target.seed, new Map(), true);
    return {
      layers: layers.map(({ layer }) => layer.id),
      times: {
        loadMs: derivatives.times.loadMs,
        forwardMs: derivatives.times.forwardMs,
        totalMs: performance.now() - started,
      },
      gradientMs: derivatives.times.gradientMs,
      warnings: [],
    };
  },
};
