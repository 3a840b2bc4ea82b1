import type { Node } from '../graph';
import type { GraphView } from './graphView';
import { isBroadcasting, isElementwise, isMoving, passedInputs } from './movement';
import { productOf, projected } from './products';
import { sourcesOf, unmoved } from './sources';

/**
 * What is called attention and has no probabilities: `linear`, two products without a softmax between them (Katharopoulos et al. 2020, arXiv
 * 2006.16236); `squeeze-excite`, gates for channels from their means (Hu et al. 2018, arXiv 1709.01507).
 */
export interface Lookalike {
  readonly kind: 'linear' | 'squeeze-excite';
  readonly node: Node;
}

/** Nodes that one search looks at. */
const MOST_NODES = 32;
const GATES: ReadonlySet<string> = new Set(['Sigmoid', 'HardSigmoid', 'Clip']);
const POOLS: ReadonlySet<string> = new Set(['GlobalAveragePool', 'AveragePool', 'ReduceMean']);

/** What looks like attention among the nodes of a graph; `contexts` are the results of the attention that was found. */
export function lookalikesIn(view: GraphView, contexts: ReadonlySet<string>): Lookalike[] {
  return view.nodes.flatMap((node): Lookalike[] => {
    if (node.op === 'Mul' && node.domain === '' && isSqueezeExcite(view, node))
      return [{ kind: 'squeeze-excite', node }];
    if (contexts.has(node.outputs[0] ?? '') || !isLinearAttention(view, node)) return [];
    return [{ kind: 'linear', node }];
  });
}

/** A tensor times gates that come from its own means. */
function isSqueezeExcite(view: GraphView, node: Node): boolean {
  const [a = '', b = ''] = node.inputs;
  return gatesBy(view, a, b) || gatesBy(view, b, a);
}

function gatesBy(view: GraphView, gated: string, gate: string): boolean {
  const source = unmoved(view, gated).tensor;
  let gates = false;
  const stack = [gate];
  const seen = new Set(stack);
  for (let name = stack.pop(); name !== undefined && seen.size < MOST_NODES; name = stack.pop()) {
    const node = view.producer(name);
    if (!node) continue;
    if (POOLS.has(node.op)) {
      if (gates && unmoved(view, node.inputs[0] ?? '').tensor === source) return true;
      continue;
    }
    gates ||= GATES.has(node.op) || GATES.has(activationOf(node));
    const data = projected(view, node);
    for (const input of data === null ? passedInputs(node) : [data]) {
      if (!view.varies(input) || seen.has(input)) continue;
      seen.add(input);
      stack.push(input);
    }
  }
  return false;
}

/** What a fused convolution applies to its result. */
function activationOf(node: Node): string {
  const activation = node.attributes.get('activation');
  return activation?.kind === 'string' ? activation.value : '';
}

/** A product with the result of another product, all three factors projected from the same tokens. */
function isLinearAttention(view: GraphView, node: Node): boolean {
  const outer = productOf(view, node);
  if (!outer?.operands.every(name => view.varies(name))) return false;
  return outer.operands.some((name, side) => {
    const inner = productBefore(view, name);
    const other = outer.operands[side === 0 ? 1 : 0];
    if (!inner) return false;
    const all = [...inner, other].map(each => sourcesOf(view, each).tensors);
    const [first = [], ...rest] = all;
    return first.some(tensor => rest.every(each => each.includes(tensor)));
  });
}

/** The factors of the nearest product in front of a tensor, through operators that only scale and move; null where there is none of two that vary. */
function productBefore(view: GraphView, name: string): readonly [string, string] | null {
  let at = name;
  for (let step = 0; step < MOST_NODES; step++) {
    const node = view.producer(at);
    if (!node) return null;
    const product = productOf(view, node);
    if (product) return product.operands.every(each => view.varies(each)) ? product.operands : null;
    if (!isElementwise(node) && !isMoving(node) && !isBroadcasting(node)) return null;
    at = passedInputs(node).find(each => view.varies(each)) ?? '';
  }
  return null;
}
