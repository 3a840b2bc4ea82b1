import type { AttributionTargetsResult } from '../../../protocol/attribution';
import { Derivatives } from './attribution/derivatives';
import { detectionsOf } from './attribution/detections';
import { segmentationOutput, segmentsOf } from './attribution/segmentation';
import { gridLayers, suggestedLayer } from './attribution/suggestedLayer';
import { classesOf, predictedOf, resolveTarget } from './attribution/targets';
import type { Method } from './method';

/** What can be explained for an input: see `AttributionTargetsResult`. */
export const attributionTargets: Method<'attributionTargets'> = {
  name: 'attributionTargets',
  runs: true,
  async compute(params, context) {
    const started = performance.now();
    const derivatives = await Derivatives.open(context, params.feeds, true);
    const answers = await answersOf(derivatives);
    const target = await resolveTarget({ kind: 'top' }, derivatives, context);
    const suggested = await suggestedLayer(context.layers, derivatives, target);
    return {
      ...answers,
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

type Answers = Pick<
  AttributionTargetsResult,
  'kind' | 'predicted' | 'classCount' | 'detections' | 'segments'
>;

const NOTHING: Answers = {
  kind: 'other',
  predicted: null,
  classCount: null,
  detections: [],
  segments: [],
};

/** What the model's outputs are read as. */
async function answersOf(derivatives: Derivatives): Promise<Answers> {
  const classes = classesOf(derivatives);
  if (classes) {
    const scores = (await derivatives.values([classes.scores])).get(classes.scores);
    const predicted = scores ? predictedOf(classes, scores) : null;
    return { ...NOTHING, kind: 'classes', predicted, classCount: classes.classes };
  }
  const found = await detectionsOf(derivatives);
  if (found) {
    const detections = found.detections.map(({ box, classIndex, score }) => ({
      box,
      classIndex,
      score,
    }));
    return { ...NOTHING, kind: 'detections', detections };
  }
  const maps = segmentationOutput(derivatives);
  if (!maps) return NOTHING;
  const segments = await segmentsOf(derivatives, maps);
  return { ...NOTHING, kind: 'segmentation', classCount: maps.classes, segments };
}
