import type { TensorRef } from '../graph';
import { constantTensor } from '../constantNode';
import { planConstant } from '../constantPlan';
import type { Tensor } from '../tensor';
import { toFloat32 } from '../numbers';
import type { GraphView } from './graphView';

/** Reads a stored tensor. */
export type ReadTensor = (ref: TensorRef) => Tensor;

/** Nodes that are looked at behind a mask. */
const MOST_NODES = 64;
/** Larger masks are not read. */
const MOST_BYTES = 2 ** 22;
const COMPARISONS: ReadonlySet<string> = new Set([
  'Less',
  'LessOrEqual',
  'Greater',
  'GreaterOrEqual',
]);

/**
 * True where one of the masks hides the keys behind each query's place: it is made by Trilu, by comparing positions that were counted (Range, or
 * a running sum), or stored as a triangle.
 */
export function isCausal(view: GraphView, masks: readonly string[], read: ReadTensor): boolean {
  const names = new Set(masks);
  let compares = false;
  let counts = false;
  for (const name of names) {
    if (names.size > MOST_NODES) break;
    const stored = storedTensor(view, name);
    if (stored && isTriangle(stored, read)) return true;
    const node = view.producer(name);
    if (!node) continue;
    if (node.op === 'Trilu') return true;
    compares ||= COMPARISONS.has(node.op);
    counts ||= node.op === 'Range' || node.op === 'CumSum';
    for (const input of node.inputs) if (input !== '') names.add(input);
  }
  return compares && counts;
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
function isTriangle(ref: TensorRef, read: ReadTensor): boolean {
  const [rows = 0, columns = 0] = ref.shape.slice(-2);
  const count = ref.shape.reduce((product, size) => product * size, 1);
  if (rows < 2 || columns < rows || count > MOST_BYTES / 4) return false;
  const values = valuesOf(ref, read);
  if (!values) return false;
  const seen = values[0];
  const hidden = values[1];
  if (seen === hidden) return false;
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++)
      if (values[row * columns + column] !== (column <= row ? seen : hidden)) return false;
  return true;
}

/** Null where the bytes are not there: who reads them for their own sake tells that. */
function valuesOf(ref: TensorRef, read: ReadTensor): Float32Array | null {
  try {
    return toFloat32(read(ref));
  } catch {
    return null;
  }
}
