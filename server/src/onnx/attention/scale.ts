import type { Node } from '../graph';

import { floatAttribute, type GraphView } from './graphView';
import { isElementwise, isMoving } from './movement';
import { projected } from './products';
import type { Scores } from './scores';

/** Nodes between a product and the projection of an operand. */
const MOST_NODES = 16;

/**
 * What Q · Kᵀ is multiplied with: by single numbers behind the product and on the way from the projections to it, and by a fused product's own factor. Null where
 * the graph states none.
 */
export function scaleOf(view: GraphView, { product, path }: Scores): number | null {
  const factors = path.flatMap(node => factorOf(view, node));
  const own = product.node.op === 'FusedMatMul' ? [floatAttribute(product.node, 'alpha', 1)] : [];
  const before = product.operands.flatMap(name => factorsBefore(view, name));
  const all = [...own, ...before, ...factors];
  return all.length === 0 ? null : all.reduce((result, factor) => result * factor, 1);
}

function factorsBefore(view: GraphView, operand: string): number[] {
  const factors: number[] = [];
  let at = operand;
  for (let step = 0; step < MOST_NODES; step++) {
    const node = view.producer(at);
    if (!node || projected(view, node) !== null) break;
    const factor = factorOf(view, node);
    if (factor.length === 0 && !isElementwise(node) && !isMoving(node) && node.op !== 'Add') break;
    factors.push(...factor);
    at = node.inputs.find(name => view.varies(name)) ?? '';
  }
  return factors;
}

/** The factor of a multiplication or division by one number that is known. */
function factorOf(view: GraphView, node: Node): number[] {
  if (node.op !== 'Mul' && node.op !== 'Div') return [];
  const at = node.inputs.findIndex(name => !view.varies(name));
  const numbers = at < 0 ? null : view.elements(node.inputs[at] ?? '');
  const [number, ...more] = numbers ?? [];
  if (number === undefined || more.length > 0) return [];
  if (node.op === 'Mul') return [number];
  return at === 1 && number !== 0 ? [1 / number] : [];
}
