import type { GraphView } from './graphView';
import { axisAfter } from './movement';
import { axisOfLetter, letterAt, productOf, summedLetters, type Product } from './products';
import { isHeadMixing, passesOn } from './scores';
import type { SoftmaxForm } from './softmaxes';

/** Values weighted by the probabilities: P · V. */
export interface ContextProduct {
  readonly product: Product;
  readonly valueOperand: 0 | 1;
}

/** Nodes that a search from a softmax looks at before it gives up. */
const MOST_NODES = 96;

/**
 * The product that sums values weighted by the probabilities, over the axis along which they add up to 1. Null where there is none: then what is
 * normalised is no attention (class scores, a choice between branches).
 */
export function contextOf(view: GraphView, softmax: SoftmaxForm): ContextProduct | null {
  const queue = [{ name: softmax.output, axis: softmax.axis }];
  const seen = new Set([softmax.output]);
  for (let at = queue.shift(); at && seen.size < MOST_NODES; at = queue.shift())
    for (const node of view.usersOf(at.name)) {
      const product = productOf(view, node);
      const found = product && weighted(view, product, at);
      if (found) return found;
      if (!passesOn(view, node)) continue;
      const axis = isHeadMixing(view, node) ? at.axis : axisAfter(view, node, at.axis);
      for (const output of node.op === 'Split' ? node.outputs : node.outputs.slice(0, 1)) {
        if (axis === null || output === '' || seen.has(output)) continue;
        seen.add(output);
        queue.push({ name: output, axis });
      }
    }
  return null;
}

function weighted(
  view: GraphView,
  product: Product,
  { name, axis }: { readonly name: string; readonly axis: number },
): ContextProduct | null {
  const operand = product.operands[0] === name ? 0 : 1;
  const letter = letterAt(product.terms[operand], axis);
  const valueOperand = operand === 0 ? 1 : 0;
  if (!summedLetters(product).includes(letter) || product.operands[operand] !== name) return null;
  return view.varies(product.operands[valueOperand]) &&
    axisOfLetter(product.terms[valueOperand], letter) !== null
    ? { product, valueOperand }
    : null;
}
