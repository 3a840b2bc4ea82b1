import { captured } from '../onnx/dataPath';
import type { Graph, Node } from '../onnx/graph';
import type { InferredValues } from '../onnx/shapes/inferShapes';
import { ruleFor } from './rules';
import { gradientType } from './value';

/** The nodes between some tensors and a target: only these get a backward part. */
export interface ActivePath {
  /** In the order of the graph. */
  readonly nodes: readonly Node[];
  /** Tensors that depend on one of `from` so that a gradient could reach it. */
  readonly reached: ReadonlySet<string>;
}

/** True where a derivative is asked for at all: comparisons, rounding and indices are constants of the run. */
export const isDifferentiable = (node: Node): boolean => ruleFor(node)?.constant?.(node) !== true;

/**
 * The nodes on the way from `from` to `target` whose values have gradients: reached from `from`, reaching `target`, through tensors of float
 * types (and of the integer types of quantised models) or of a type that is not known.
 */
export function activePath(
  graph: Graph,
  facts: InferredValues,
  from: readonly string[],
  target: string,
): ActivePath {
  const reached = new Set(from);
  const forward = new Set<Node>();
  for (const node of graph.nodes) {
    if (!isDifferentiable(node) || !carryingInputs(node).some(name => reached.has(name))) continue;
    forward.add(node);
    for (const name of node.outputs)
      if (name !== '' && mayHaveGradient(facts, name)) reached.add(name);
  }
  const needed = new Set([target]);
  const nodes: Node[] = [];
  for (const node of graph.nodes.toReversed()) {
    if (!forward.has(node) || !node.outputs.some(name => needed.has(name))) continue;
    nodes.push(node);
    for (const name of carryingInputs(node)) if (reached.has(name)) needed.add(name);
  }
  return { nodes: nodes.reverse(), reached };
}

/** Also where the type is not known: a run tells it, or the node is refused. */
function mayHaveGradient(facts: InferredValues, name: string): boolean {
  const dtype = facts.shapes.get(name)?.dtype ?? 'undefined';
  return dtype === 'undefined' || gradientType(dtype) !== null;
}

/** What gradients may flow to, of what a node computes with. */
function carryingInputs(node: Node): readonly string[] {
  const carrying = ruleFor(node)?.carrying;
  return carrying ? carrying.map(index => node.inputs[index] ?? '') : inputsOf(node);
}

/** What a node computes with, what its subgraphs take from around them included. */
export function inputsOf(node: Node): readonly string[] {
  if (node.attributes.size === 0) return node.inputs;
  const known = uses.get(node);
  if (known) return known;
  const inside = captured(node);
  const made = inside.length === 0 ? node.inputs : [...node.inputs, ...inside];
  uses.set(node, made);
  return made;
}

const uses = new WeakMap<Node, readonly string[]>();
