import { ATTRIBUTION_FACTS } from '../../../protocol/attributionFacts';
import type { ExplainParams, ExplainResult, Finding } from '../../../protocol/attribution';
import { attributorOf } from './attribution';
import type { Attribution, AttributionRequest } from './attribution/attributor';
import { Derivatives } from './attribution/derivatives';
import { findingsOf } from './attribution/findings';
import { explainedInput } from './attribution/imageInput';
import { explainedLayers } from './attribution/explainedLayers';
import { predictedOf, resolved, resolveTarget } from './attribution/targets';
import { isWeightable, keptCam } from './attribution/layerCams';
import { gridLayers } from './attribution/suggestedLayer';
import { drawnMap, heatmapOf, rawOf } from './attribution/maps';
import { rangeOfValues } from './attribution/tensorRange';
import type { Tensor } from '../onnx/tensor';
import type { Method, MethodContext } from './method';

/** One attribution: see `attribution/` for the methods, and `protocol/attribution.ts` for what the result holds. */
export const explain: Method<'explain'> = {
  name: 'explain',
  runs: true,
  async compute(params, context) {
    const started = performance.now();
    const derivatives = await Derivatives.open(context, params.feeds, params.ahead ?? false);
    const target = await resolveTarget(params.target, derivatives, context);
    const layers = await explainedLayers(params, context, derivatives, target);
    const input = explainedInput(derivatives, params.feeds, needsInput(params));
    const geometry = await context.geometry(params.feeds);
    const describe = (
      attribution: Attribution,
      value: Tensor,
      findings: readonly Finding[],
      want: ExplainParams['want'],
    ): ExplainResult =>
      explained(
        { params: { ...params, want }, request, layers, geometry, started },
        attribution,
        value,
        findings,
      );
    const request: AttributionRequest = {
      derivatives,
      target,
      grids: layers.grids,
      input,
      options: params.options ?? {},
      feeds: params.feeds,
      context,
      report: paced(
        context,
        partial => partial.value && describe(partial, partial.value, [], 'map'),
      ),
    };
    const kept = params.ahead ? await keptMap(params, request) : null;
    const attribution = kept ?? (await attributorOf(params.method).attribute(request));
    const value =
      (derivatives.approximate === null ? attribution.value : null) ??
      (await derivatives.values([target.tensor])).get(target.tensor);
    if (!value) throw new Error(`the run gave no ${target.tensor}`);
    const finished = { request, attribution, method: params.method, value };
    return describe(attribution, value, await findingsOf(finished), params.want);
  },
};

/** Whether a method changes or differentiates the input itself. */
const needsInput = ({ method, layers }: ExplainParams): boolean =>
  method === 'score-cam' ||
  (ATTRIBUTION_FACTS[method].of === 'input' && !(method === 'gradient' && layers.length > 0));

/** Partial results that come sooner after the one before are not made: nobody could see them. */
const PARTIAL_MS = 50;
/** Nor do they take more than one part in this many of the time. */
const PARTIAL_SHARE = 50;

/** Tells how far a method is, and what it has every now and then. */
function paced(
  context: MethodContext,
  resultOf: (attribution: Attribution) => ExplainResult | null,
): AttributionRequest['report'] {
  let next = Number.NEGATIVE_INFINITY;
  return (fraction, message, partial) => {
    const started = performance.now();
    const due = partial && started >= next;
    context.report({ fraction, message, ...(due ? { partial: resultOf(partial()) } : {}) });
    if (!due) return;
    const ended = performance.now();
    next = ended + Math.max(PARTIAL_MS, PARTIAL_SHARE * (ended - started));
  };
}

interface Explained {
  readonly params: ExplainParams;
  readonly request: AttributionRequest;
  readonly layers: { readonly reason: string | null };
  readonly geometry: ExplainResult['geometry'];
  readonly started: number;
}

/** The result for an attribution, `value` being the target tensor of the run. */
function explained(
  { params, request, layers, geometry, started }: Explained,
  attribution: Attribution,
  value: Tensor,
  findings: readonly Finding[],
): ExplainResult {
  const { derivatives, target, input, context, grids } = request;
  const map = drawnMap(attribution, input);
  const { low, high } = rangeOfValues(map.values);
  const full = params.want === 'full';
  const raw = full ? rawOf(attribution) : EMPTY;
  const heatmap = full ? heatmapOf(attribution, input) : EMPTY;
  const scores = target.classes?.scores === target.tensor ? value : null;
  return {
    method: params.method,
    layers: grids.map(({ tensor }) => ({
      id: context.layers.find(layer => layer.outputs.includes(tensor))?.id ?? null,
      tensor,
    })),
    layerReason: layers.reason,
    target: resolved(target, value),
    predicted: scores ? predictedOf(target.classes, scores) : null,
    rows: map.rows,
    columns: map.columns,
    map: map.values,
    magnitude: map.magnitude,
    minimum: low,
    maximum: high,
    attribution: raw.values,
    attributionShape: raw.shape,
    heatmap: heatmap.values,
    heatmapShape: heatmap.shape,
    geometry,
    options: attribution.options,
    completeness: attribution.completeness ?? null,
    approximate: ATTRIBUTION_FACTS[params.method].gradients ? derivatives.approximate : null,
    findings,
    times: {
      loadMs: derivatives.times.loadMs,
      forwardMs: derivatives.times.forwardMs,
      totalMs: performance.now() - started,
    },
    gradientMs: derivatives.times.gradientMs,
    warnings: [],
  };
}

/** A layer's Grad-CAM from the run of all layers, where that was made. */
async function keptMap(
  { method }: ExplainParams,
  { derivatives, target, grids, context }: AttributionRequest,
): Promise<Attribution | null> {
  const [grid] = grids;
  if (method !== 'grad-cam' || !grid || grids.length !== 1) return null;
  const all = gridLayers(context.layers, derivatives, target.tensor).map(each => each.grid);
  return keptCam(
    derivatives,
    target,
    grid,
    all.filter(each => isWeightable(derivatives, each)),
  );
}

const EMPTY = { values: new Float32Array(0), shape: [0] } as const;
