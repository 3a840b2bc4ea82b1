import { Derivatives } from './attribution/derivatives';
import { gridLayers, suggestedLayer } from './attribution/suggestedLayer';
import { predictedOf, resolveTarget } from './attribution/targets';
import type { Method } from './method';

/** What can be explained for an input: see `AttributionTargetsResult`. */
export const attributionTargets: Method<'attributionTargets'> = {
  name: 'attributionTargets',
  runs: true,
  async compute(params, context) {
    const started = performance.now();
    const derivatives = await Derivatives.open(context, params.feeds, true);
    const target = await resolveTarget({ kind: 'top' }, derivatives, context);
    const suggested = suggestedLayer(context.layers, derivatives, target);
    const { classes } = target;
    const scores = classes && (await derivatives.values([classes.scores])).get(classes.scores);
    return {
      kind: classes ? 'classes' : 'other',
      predicted: scores ? predictedOf(classes, scores) : null,
      classCount: classes?.classes ?? null,
      detections: [],
      segments: [],
      suggestedLayer: suggested && {
        layer: suggested.layer.id,
        tensor: suggested.grid.tensor,
        reason: suggested.reason,
      },
      layersWithGrid: gridLayers(context.layers, derivatives, target.tensor).map(
        ({ layer }) => layer.id,
      ),
      times: {
        loadMs: derivatives.times.loadMs,
        forwardMs: derivatives.times.forwardMs,
        totalMs: performance.now() - started,
      },
      warnings: [],
    };
  },
};
