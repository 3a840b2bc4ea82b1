import type { Finding, TargetSpec } from '../../../../protocol/attribution';
import { toFloat64 } from '../../onnx/numbers';
import { beforeNormalisation } from './classOutput';
import type { Finished } from './finished';

/** A probability this near to 1 hardly changes any more, whatever the picture does. */
const SATURATED = 0.999;

/** A target behind a Softmax or Sigmoid that is saturated: its gradient is next to nothing. */
export function saturatedFinding({ request, value }: Finished): Finding | null {
  const { target, derivatives } = request;
  const { graph } = derivatives.model;
  const before = beforeNormalisation(graph, target.tensor, name => derivatives.shapeOf(name));
  const { index } = target;
  if (index === null || before === target.tensor) return null;
  const element = index
    .slice(1)
    .reduce((at, place, axis) => at * (value.shape[axis + 1] ?? 1) + place, 0);
  const probability = toFloat64(value)[element] ?? 0;
  if (probability <= SATURATED) return null;
  const remedy = remedyOf(request.target, before, index);
  return {
    kind: 'saturated',
    severity: 'warning',
    message: `${target.words} is ${probability.toFixed(4)} after its ${opOf(request, target.tensor)} and can hardly rise, so its gradient is next to nothing; explain the value before it.`,
    remedy: { kind: 'target', title: 'Use the Value before It', target: remedy },
  };
}

function remedyOf(
  { classes, tensor }: Finished['request']['target'],
  before: string,
  index: readonly number[],
): TargetSpec {
  if (classes?.output !== tensor) return { kind: 'element', tensor: before, index };
  return { kind: 'class', index: index.slice(1).find(place => place > 0) ?? 0 };
}

/** The operator that makes the values probabilities. */
function opOf({ derivatives }: Finished['request'], tensor: string): string {
  const node = derivatives.model.graph.nodes.find(({ outputs }) => outputs.includes(tensor));
  return node?.op === 'Sigmoid' ? 'Sigmoid' : 'Softmax';
}
