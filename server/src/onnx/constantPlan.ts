import { constantTensor } from './constantNode';
import type { Graph, Model, Node, TensorRef } from './graph';

/** How a constant comes about: a stored tensor, or an operator on other constants. */
export type ConstantPlan =
  | { readonly kind: 'stored'; readonly name: string; readonly ref: TensorRef }
  | {
      readonly kind: 'computed';
      readonly name: string;
      readonly node: Node;
      /** By position; null where an input was left out. */
      readonly inputs: readonly (ConstantPlan | null)[];
    };

/** Operators that a weight may stand behind. */
const FOLLOWED: ReadonlySet<string> = new Set([
  'Identity',
  'Cast',
  'DequantizeLinear',
  'QuantizeLinear',
  'Transpose',
  'Reshape',
  'Flatten',
  'Squeeze',
  'Unsqueeze',
  'ConstantOfShape',
  'Add',
  'Sub',
  'Mul',
  'Div',
]);
const MAX_STEPS = 64;
const MAX_NODES = 512;

/** Nothing is known of a name that is an input, is not constant, is made in a circle, or lies behind too many operators. */
export function planConstant(model: Model, graph: Graph, name: string): ConstantPlan | null {
  return new Planner(model).plan(graph, name, 0);
}

class Planner {
  private readonly known = new Map<Graph, Map<string, ConstantPlan | null>>();
  private nodes = 0;

  constructor(private readonly model: Model) {}

  plan(graph: Graph, name: string, depth: number): ConstantPlan | null {
    if (name === '' || depth > MAX_STEPS) return null;
    const plans = this.known.get(graph) ?? new Map<string, ConstantPlan | null>();
    this.known.set(graph, plans);
    const known = plans.get(name);
    if (known !== undefined) return known;
    // while it is worked out, a name that leads back to itself is no constant
    plans.set(name, null);
    const made = this.make(graph, name, depth);
    plans.set(name, made);
    return made;
  }

  private make(graph: Graph, name: string, depth: number): ConstantPlan | null {
    const stored = graph.initializers.get(name);
    if (stored) return { kind: 'stored', name, ref: stored };
    const node = producersOf(graph).get(name);
    if (!node) return this.fromOutside(graph, name, depth);
    const constant = constantTensor(node);
    if (constant) return { kind: 'stored', name, ref: constant };
    if (!isFollowed(node) || node.outputs[0] !== name || ++this.nodes > MAX_NODES) return null;
    const inputs: (ConstantPlan | null)[] = [];
    for (const input of node.inputs) {
      const plan = this.plan(graph, input, depth + 1);
      if (!plan && input !== '') return null;
      inputs.push(plan);
    }
    return inputs.length > 0 ? { kind: 'computed', name, node, inputs } : null;
  }

  /** A subgraph sees the values of the graphs around it, unless it has an input of that name. */
  private fromOutside(graph: Graph, name: string, depth: number): ConstantPlan | null {
    if (graph.inputs.some(input => input.name === name)) return null;
    const outer = enclosingGraphs(this.model.graph).get(graph);
    return outer ? this.plan(outer, name, depth) : null;
  }
}

const isFollowed = (node: Node): boolean =>
  FOLLOWED.has(node.op) &&
  (node.domain === '' || (node.domain === 'com.microsoft' && node.op.endsWith('Linear')));

const producers = new WeakMap<Graph, ReadonlyMap<string, Node>>();

/** The node that makes each value of a graph. Worked out once for a graph, which never changes. */
export function producersOf(graph: Graph): ReadonlyMap<string, Node> {
  const known = producers.get(graph);
  if (known) return known;
  const made = new Map<string, Node>();
  for (const node of graph.nodes)
    for (const output of node.outputs) if (output !== '') made.set(output, node);
  producers.set(graph, made);
  return made;
}

const enclosing = new WeakMap<Graph, ReadonlyMap<Graph, Graph>>();

/** The graph around each subgraph below `main`. Worked out once for a graph. */
function enclosingGraphs(main: Graph): ReadonlyMap<Graph, Graph> {
  const known = enclosing.get(main);
  if (known) return known;
  const made = new Map<Graph, Graph>();
  const queue = [main];
  for (let graph = queue.pop(); graph; graph = queue.pop())
    for (const inner of graph.nodes.flatMap(subgraphsOf)) {
      made.set(inner, graph);
      queue.push(inner);
    }
  enclosing.set(main, made);
  return made;
}

/** The bodies of If, Loop, Scan and the like. */
export function subgraphsOf(node: Node): readonly Graph[] {
  const graphs: Graph[] = [];
  for (const attribute of node.attributes.values())
    if (attribute.kind === 'graph') graphs.push(attribute.value);
    else if (attribute.kind === 'graphs') graphs.push(...attribute.value);
  return graphs;
}
