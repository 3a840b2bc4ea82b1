import { producersOf } from '../../onnx/constantPlan';
import type { Graph, Node } from '../../onnx/graph';
import { elementCount } from '../../onnx/tensor';

/** One element of a tensor, by its index in C order. */
export interface TensorElement {
  readonly tensor: string;
  readonly element: number;
}

type ShapeOf = (name: string) => readonly number[] | null;

const SAME_ORDER: ReadonlySet<string> = new Set([
  'Identity',
  'Reshape',
  'Flatten',
  'Squeeze',
  'Unsqueeze',
  'Cast',
  'Dropout',
]);
const NORMALISING: ReadonlySet<string> = new Set(['Softmax', 'LogSoftmax', 'Sigmoid']);

/**
 * The element in front of a final Sigmoid or Softmax that becomes this element, followed back through operators that only lay
 * elements out anew (Concat, Split, Transpose, Reshape and the like); the element itself where there is none.
 */
export function beforeFinalNormalisation(
  graph: Graph,
  shapeOf: ShapeOf,
  from: TensorElement,
): TensorElement {
  const producers = producersOf(graph);
  let at: TensorElement | null = from;
  while (at) {
    const node = producers.get(at.tensor);
    if (!node || node.domain !== '') return from;
    const input = node.inputs[0] ?? '';
    if (NORMALISING.has(node.op))
      return shapeOf(input) ? { tensor: input, element: at.element } : from;
    at = source(node, at, shapeOf);
  }
  return from;
}

/** Where a node took an element from; null for operators that compute with it. */
function source(node: Node, at: TensorElement, shapeOf: ShapeOf): TensorElement | null {
  const input = node.inputs[0] ?? '';
  if (SAME_ORDER.has(node.op)) return { tensor: input, element: at.element };
  const shape = shapeOf(at.tensor);
  const inputShape = shapeOf(input);
  if (!shape || !inputShape) return null;
  switch (node.op) {
    case 'Transpose': {
      const perm = ints(node, 'perm') ?? shape.map((_, axis) => shape.length - 1 - axis);
      const places = indexOf(at.element, shape);
      const before = perm.reduce<number[]>((found, axis, i) => {
        found[axis] = places[i] ?? 0;
        return found;
      }, []);
      return { tensor: input, element: elementOf(before, inputShape) };
    }
    case 'Concat':
      return concatenated(node, at, shape, shapeOf);
    case 'Split': {
      const axis = axisOf(node, 0, shape.length);
      let start = 0;
      for (const output of node.outputs) {
        if (output === at.tensor) break;
        start += shapeOf(output)?.[axis] ?? NaN;
      }
      if (Number.isNaN(start)) return null;
      const places = indexOf(at.element, shape).map((place, i) => place + (i === axis ? start : 0));
      return { tensor: input, element: elementOf(places, inputShape) };
    }
    default:
      return null;
  }
}

function concatenated(
  node: Node,
  at: TensorElement,
  shape: readonly number[],
  shapeOf: ShapeOf,
): TensorElement | null {
  const axis = axisOf(node, 1, shape.length);
  const places = indexOf(at.element, shape);
  let start = 0;
  for (const tensor of node.inputs) {
    const part = shapeOf(tensor);
    const size = part?.[axis];
    if (!part || size === undefined) return null;
    const within = (places[axis] ?? 0) - start;
    if (within < size) {
      const moved = places.map((place, i) => (i === axis ? within : place));
      return { tensor, element: elementOf(moved, part) };
    }
    start += size;
  }
  return null;
}

function ints(node: Node, name: string): readonly number[] | null {
  const attribute = node.attributes.get(name);
  return attribute?.kind === 'ints' ? attribute.value : null;
}

function axisOf(node: Node, otherwise: number, rank: number): number {
  const attribute = node.attributes.get('axis');
  const axis = attribute?.kind === 'int' ? attribute.value : otherwise;
  return axis < 0 ? axis + rank : axis;
}

/** The index along each axis. */
function indexOf(element: number, shape: readonly number[]): number[] {
  let rest = element;
  return shape.map((_, axis) => {
    const inner = elementCount(shape.slice(axis + 1));
    const place = Math.floor(rest / inner);
    rest -= place * inner;
    return place;
  });
}

const elementOf = (places: readonly number[], shape: readonly number[]): number =>
  shape.reduce((element, size, axis) => element * size + (places[axis] ?? 0), 0);
