import { UserError } from '../../../protocol/errors';
import type { Node } from '../onnx/graph';
import { qualifiedOp } from '../onnx/layerKinds';

/** How a node is called in messages. */
export const nodeLabel = (node: Node): string =>
  `${qualifiedOp(node)} (node ${node.name || node.outputs.find(name => name !== '') || `number ${node.index}`})`;

/** No derivative through a node: what stops it, and what works all the same. */
export class NoGradientError extends UserError {
  constructor(
    readonly node: Node,
    reason: string,
    /** Names of tensors behind the last obstacle, in the order of the graph. */
    readonly working: readonly string[],
  ) {
    super('noGradient', noGradientMessage(node, reason, working));
  }
}

function noGradientMessage(node: Node, reason: string, working: readonly string[]): string {
  const why = reason === '' ? '' : `: ${reason}`;
  const [first] = working;
  const after = first === undefined ? '' : `layers after it work, from "${first}" on; else `;
  return `No gradient through ${nodeLabel(node)}${why}; ${after}use a method without gradients (eigen-cam, score-cam, occlusion or rise).`;
}
