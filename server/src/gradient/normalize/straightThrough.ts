import { dataPathOf, isVarying } from '../../onnx/dataPath';
import type { Graph } from '../../onnx/graph';

const ESTIMATE =
  'This model is quantised: gradients are a straight-through estimate (rounding counts as the identity).';

const ROUNDING: ReadonlySet<string> = new Set(['QuantizeLinear', 'DynamicQuantizeLinear']);

/**
 * The sentence that says so where values that depend on the inputs are rounded to integers on the way; null where only weights are
 * quantised: those are constants, and derivatives exact.
 */
export function straightThrough(graph: Graph): string | null {
  const { varying } = dataPathOf(graph, null);
  const rounds = graph.nodes.some(
    node => ROUNDING.has(node.op) && isVarying(varying, node.inputs[0] ?? ''),
  );
  return rounds ? ESTIMATE : null;
}
