import type { TensorRef } from '../graph';
import { constantTensor } from '../constantNode';
import { planConstant } from '../constantPlan';
import { toFloat32 } from '../numbers';
import type { Shape } from '../shapes/dimensions';
import type { Tensor } from '../tensor';
import type { GraphView } from './graphView';

/** Reads a stored tensor. */
export type ReadTensor = (ref: TensorRef) => Tensor;

/** Nodes that are looked at behind a mask. */
const MOST_NODES = 64;
/** Larger masks are not read. */
const MOST_ELEMENTS = 2 ** 20;
const COMPARISONS: ReadonlySet<string> = new Set([
  'Less',
  'LessOrEqual',
  'Greater',
  'GreaterOrEqual',
]);

/**
 * True where one of the masks hides the keys behind each query's place: it is made by Trilu, by comparing two rows of positions that were counted, or it
 * is a triangle.
 */
export function isCausal(view: GraphView, masks: readonly string[], read: ReadTensor): boolean {
  return behind(view, masks).some(name => {
    const values = valuesOf(view, name, read);
    if (values && isTriangle(values, view.shape(name) ?? [])) return true;
    const node = view.producer(name);
    if (!node || !COMPARISONS.has(node.op)) return node?.op === 'Trilu';
    return node.inputs.every(input => isCounted(view, input, read));
  });
}

/** Everything that some tensors are made of, themselves first; not the places at which something is looked up (a bias for each distance). */
function behind(view: GraphView, tensors: readonly string[]): readonly string[] {
  const names = new Set(tensors);
  // a set is walked in the order of insertion, what is added meanwhile included
  for (const name of names) {
    if (names.size > MOST_NODES) break;
    const node = view.producer(name);
    const inputs = node?.op.startsWith('Gather') ? node.inputs.slice(0, 1) : (node?.inputs ?? []);
    for (const input of inputs) if (input !== '') names.add(input);
  }
  return [...names];
}

/** True for positions: what comes from Range, a running sum, or a constant that counts. */
const isCounted = (view: GraphView, name: string, read: ReadTensor): boolean =>
  behind(view, [name]).some(each => {
    const op = view.producer(each)?.op;
    if (op === 'Range' || op === 'CumSum') return true;
    const values = valuesOf(view, each, read);
    return values !== null && isCount(values);
  });

/** The values of a constant, or of what follows from sizes; null where they are not known, not there, or too many. */
function valuesOf(view: GraphView, name: string, read: ReadTensor): ArrayLike<number> | null {
  const followed = view.elements(name);
  if (followed) return followed;
  const stored = storedTensor(view, name);
  const count = stored?.shape.reduce((product, size) => product * size, 1) ?? Infinity;
  if (!stored || count > MOST_ELEMENTS) return null;
  try {
    return toFloat32(read(stored));
  } catch {
    // who reads it for its own sake tells that its bytes are not there
    return null;
  }
}

function storedTensor(view: GraphView, name: string): TensorRef | null {
  const initializer = view.graph.initializers.get(name);
  if (initializer) return initializer;
  const node = view.producer(name);
  const constant = node && constantTensor(node);
  if (constant) return constant;
  if (node) return null;
  // a subgraph sees the constants around it
  const plan = planConstant(view.model, view.graph, name);
  return plan?.kind === 'stored' ? plan.ref : null;
}

/** True for a square (or wider) matrix that has one value on and below its diagonal and another above, or the other way round. */
function isTriangle(values: ArrayLike<number>, shape: Shape): boolean {
  const [rows, columns] = shape.slice(-2);
  if (typeof rows !== 'number' || typeof columns !== 'number') return false;
  if (rows < 2 || columns < rows || values.length < rows * columns || values[0] === values[1])
    return false;
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      if (values[row * columns + column] !== values[column <= row ? 0 : 1]) return false;
  return true;
}

/** 0, 1, 2 … */
const isCount = (values: ArrayLike<number>): boolean =>
  values.length > 1 && Array.from(values).every((value, at) => value === at);
