import type { Graph, Node } from '../../onnx/graph';
import { producersOf } from '../../onnx/constantPlan';
import { classCount } from '../classScores';

/** Operators behind the scores that keep their order, or only lay them out anew. */
const PASSED: ReadonlySet<string> = new Set([
  'Softmax',
  'LogSoftmax',
  'Sigmoid',
  'Flatten',
  'Reshape',
  'Squeeze',
  'Unsqueeze',
  'Identity',
  'Cast',
  'Dropout',
]);

/** Where a model gives class scores. */
export interface ClassOutput {
  /** The graph output, probabilities or scores. */
  readonly output: string;
  /** The tensor before a final Softmax, LogSoftmax or Sigmoid (the output itself where there is none): [B, C] or [B, C, 1, 1] and the like. */
  readonly scores: string;
  readonly classes: number;
}

/**
 * The one graph output that can be class scores: [B, C] or [B, C, 1, 1] with C ≥ 2; null where none or several could be (start and end positions, boxes).
 */
export function classOutput(
  graph: Graph,
  shapeOf: (name: string) => readonly number[] | null,
  isFloat: (name: string) => boolean,
): ClassOutput | null {
  const fitting = graph.outputs.flatMap(({ name, container }) => {
    const shape = container ? null : shapeOf(name);
    const classes = shape ? classCount(shape) : null;
    return classes !== null && isFloat(name) ? [{ output: name, classes }] : [];
  });
  const [found] = fitting;
  if (!found || fitting.length !== 1) return null;
  return { ...found, scores: beforeNormalisation(graph, found.output, shapeOf) };
}

/** Follows a tensor back to what a final Softmax or Sigmoid takes; the tensor itself where there is none. Elements keep their order on the way. */
export function beforeNormalisation(
  graph: Graph,
  name: string,
  shapeOf: (name: string) => readonly number[] | null,
): string {
  const producers = producersOf(graph);
  let current = name;
  for (let node = producers.get(name); node && isPassed(node); node = producers.get(current)) {
    const input = node.inputs[0] ?? '';
    if (shapeOf(input) === null) return name;
    current = input;
    if (NORMALISING.has(node.op)) return current;
  }
  return name;
}

const NORMALISING: ReadonlySet<string> = new Set(['Softmax', 'LogSoftmax', 'Sigmoid']);
const isPassed = (node: Node): boolean => node.domain === '' && PASSED.has(node.op);
