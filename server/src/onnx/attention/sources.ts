import type { Node } from '../graph';
import { intsAttribute } from '../constantShapes';
import type { GraphView } from './graphView';
import { isBroadcasting, isElementwise, isMoving } from './movement';
import { productOf, projected } from './products';

/** Where queries or keys come from. */
export interface Sources {
  /** Tensors that are projected; of what is not projected, the graph input it is. */
  readonly tensors: readonly string[];
  /** True where some of the tokens are selected before the projection. */
  readonly selected: boolean;
  /** Windows are cut between these two tensors, by moving elements only; null where none are. */
  readonly windows: { readonly from: string; readonly to: string } | null;
}

/** Nodes between a product and the projections of its operands. */
const MOST_NODES = 200;
/** Nodes that two tensors may be apart to count as the same tokens. */
const MOST_NEAR = 24;
/** Windows are cut by swapping axes of [batch, rows, height, columns, width, channels]. */
const WINDOW_RANK = 6;

/** Follows an operand of scores back to the tensors that were projected to it. */
export function sourcesOf(view: GraphView, operand: string): Sources {
  const tensors = new Set<string>();
  let selected = false;
  let windows: Sources['windows'] = null;
  const stack = [operand];
  const seen = new Set(stack);
  for (let name = stack.pop(); name !== undefined && seen.size < MOST_NODES; name = stack.pop()) {
    const node = view.producer(name);
    const data = node && projected(view, node);
    if (data || !node) {
      const before = unmoved(view, data ?? name);
      tensors.add(before.tensor);
      selected ||= before.selects;
      windows ??= windowsBefore(view, data ?? name, before);
      continue;
    }
    for (const input of node.inputs) {
      if (!view.varies(input) || seen.has(input)) continue;
      seen.add(input);
      stack.push(input);
    }
  }
  return { tensors: [...tensors], selected, windows };
}

/** Where windows were cut: right in front of a projection, or in front of the normalisation before it. */
function windowsBefore(view: GraphView, name: string, before: Unmoved): Sources['windows'] {
  if (before.windows) return { from: before.tensor, to: name };
  const shape = JSON.stringify(view.shape(name));
  for (const each of reach(view, before.tensor, isNormalising)) {
    const { tensor, windows } = unmoved(view, each);
    if (windows && JSON.stringify(view.shape(each)) === shape) return { from: tensor, to: each };
  }
  return null;
}

interface Unmoved {
  readonly tensor: string;
  readonly selects: boolean;
  readonly windows: boolean;
}

/** The tensor whose elements a tensor has in other places. */
export function unmoved(view: GraphView, name: string): Unmoved {
  let [selects, windows] = [false, false];
  let at = name;
  for (let step = 0; step < MOST_NEAR; step++) {
    const node = view.producer(at);
    if (!node) break;
    const rolled = rolledFrom(view, node);
    if (rolled === null && !isMoving(node)) break;
    const input = rolled ?? node.inputs[0] ?? '';
    if (!view.varies(input)) break;
    if (rolled === null && isSelecting(view, node)) selects = true;
    if (node.op === 'Transpose' && (intsAttribute(node, 'perm')?.length ?? 0) >= WINDOW_RANK)
      windows = true;
    at = input;
  }
  return { tensor: at, selects, windows };
}

/** True for a Gather, and for a Slice that leaves nothing out between what it takes. */
const isSelecting = (view: GraphView, node: Node): boolean =>
  node.op === 'Gather' ||
  (node.op === 'Slice' && !view.elements(node.inputs[4] ?? '')?.some(step => step > 1));

/** The tensor of a cyclic shift: a Concat of pieces of one tensor. */
function rolledFrom(view: GraphView, node: Node): string | null {
  if (node.op !== 'Concat') return null;
  const [first = null, ...more] = node.inputs.map(name => {
    const piece = view.producer(name);
    return piece?.op === 'Slice' || piece?.op === 'Split' ? (piece.inputs[0] ?? null) : null;
  });
  return more.length > 0 && more.every(each => each === first) ? first : null;
}

/**
 * True where queries are of the same tokens as keys: projected from the same tensor, from two normalisations of it, or keys from what a
 * layer makes of it (reduced in space). Past keys that are joined do no harm.
 */
export function areSameTokens(view: GraphView, queries: Sources, keys: Sources): boolean {
  if (queries.tensors.length === 0) return false;
  return queries.tensors.every(query => keys.tensors.some(key => areNear(view, query, key)));
}

function areNear(view: GraphView, query: string, key: string): boolean {
  if (query === key) return true;
  const behind = reach(
    view,
    key,
    node => productOf(view, node) === null || projected(view, node) !== null,
  );
  if (behind.has(query)) return true;
  const near = reach(view, key, isNormalising);
  return [...reach(view, query, isNormalising)].some(name => near.has(name));
}

const isNormalising = (node: Node): boolean =>
  isElementwise(node) || isBroadcasting(node) || isMoving(node) || node.op.startsWith('Reduce');

/** Tensors that vary and lead to one through at most `MOST_NEAR` nodes of a kind. */
function reach(
  view: GraphView,
  from: string,
  passes: (node: Node) => boolean,
): ReadonlySet<string> {
  const found = new Set([from]);
  let left = MOST_NEAR;
  // a set is walked in the order of insertion, what is added meanwhile included
  for (const name of found) {
    const node = view.producer(name);
    if (!node || node.op === 'Concat' || !passes(node)) continue;
    if (left-- <= 0) break;
    for (const input of node.inputs) if (view.varies(input)) found.add(input);
  }
  return found;
}
