import type { AttributionMethod, Finding } from '../../../../protocol/attribution';
import { ATTRIBUTION_FACTS } from '../../../../protocol/attributionFacts';
import type { Finished } from './finished';
import { emptyMapFinding, mapFinding, noPathFinding } from './mapFindings';
import { inputFindings } from './inputFindings';
import { notFiniteFinding } from './notFinite';
import { saturatedFinding } from './saturation';
import { resolved } from './targets';

/** Share of the score's change that Integrated Gradients may miss (acceptance row 18). */
const LARGEST_GAP = 0.01;

/**
 * What a person should know of a map: one sentence each, with the likely remedy. Of what makes a map empty or odd only the first cause is named. Runs the
 * model only where a map is empty or not finite.
 */
export async function findingsOf(finished: Finished): Promise<readonly Finding[]> {
  const odd =
    (await notFiniteFinding(finished)) ??
    noPathFinding(finished) ??
    saturatedFinding(finished) ??
    (await emptyMapFinding(finished)) ??
    mapFinding(finished);
  return [
    ...(odd ? [odd] : []),
    ...inputFindings(finished),
    ...incomplete(finished),
    ...approximate(finished),
    ...limits(finished),
  ];
}

function incomplete({ attribution: { completeness, options } }: Finished): readonly Finding[] {
  if (!completeness || !(completeness.gap > LARGEST_GAP)) return [];
  const { sum, difference, gap } = completeness;
  const share = Number.isFinite(gap) ? ` (${(100 * gap).toFixed(1)} % off)` : '';
  return [
    {
      kind: 'incomplete',
      severity: 'warning',
      message: `The attributions add up to ${brief(sum)}, but the score changes by ${brief(difference)}${share}: ${options['steps']} steps are too few for this picture, or the rule does not fit.`,
    },
  ];
}

function approximate({ request, method }: Finished): readonly Finding[] {
  const message = request.derivatives.approximate;
  if (message === null || !ATTRIBUTION_FACTS[method].gradients) return [];
  return [{ kind: 'approximate', severity: 'information', message }];
}

/** Methods that look better than they are. */
const GUIDED: readonly AttributionMethod[] = [
  'guided-backprop',
  'deconvolution',
  'guided-grad-cam',
];

/** Methods for which it does not matter where in a layer the gradient is. */
const WHOLE_CHANNELS: readonly AttributionMethod[] = ['grad-cam', 'grad-cam++', 'xgrad-cam'];

function limits({ request, method, value }: Finished): readonly Finding[] {
  const say = (message: string): readonly Finding[] => [
    { kind: 'limit', severity: 'information', message },
  ];
  if (GUIDED.includes(method)) {
    const { label, limit } = ATTRIBUTION_FACTS[method];
    if (request.derivatives.model.graph.nodes.some(node => node.op === 'Relu')) return say(limit);
    return say(
      `This model has no Relu, the only operator whose gradient ${label} changes: plain gradients were used.`,
    );
  }
  const { spec } = request.target;
  if (spec.kind === 'box' && WHOLE_CHANNELS.includes(method))
    return [
      {
        kind: 'limit',
        severity: 'information',
        message: `${ATTRIBUTION_FACTS[method].label} weights whole channels, so that objects of one class get much the same map wherever they are; HiRes-CAM tells them apart.`,
        remedy: { kind: 'method', title: 'Use HiRes-CAM', method: 'hires-cam' },
      },
    ];
  const { score, words } = resolved(request.target, value);
  if (method !== 'ablation-cam' || score >= 0) return [];
  return say(
    `The score of ${words} is negative (${brief(score)}), so that Ablation-CAM’s weights, which are shares of it, have the opposite sign.`,
  );
}

const brief = (value: number): string => Number(value.toPrecision(3)).toString();
