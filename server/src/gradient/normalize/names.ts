import { subgraphsOf } from '../../onnx/constantPlan';
import type { Graph, Node } from '../../onnx/graph';

/** Names that are in use. */
export class Names {
  private readonly taken: Set<string>;

  private constructor(taken: Iterable<string>) {
    this.taken = new Set(taken);
  }

  /** Those of the tensors of a graph and of the graphs inside it. */
  static ofTensors(graph: Graph): Names {
    return new Names(
      graphsIn(graph).flatMap(each => [
        ...[...each.inputs, ...each.outputs].map(({ name }) => name),
        ...each.initializers.keys(),
        ...each.nodes.flatMap(node => node.outputs),
      ]),
    );
  }

  /** Those of the nodes, which are names of their own: ONNX Runtime wants each once. */
  static ofNodes(graph: Graph): Names {
    return new Names(graphsIn(graph).flatMap(each => each.nodes.map(node => node.name)));
  }

  /** The wanted name, or that with a number where something has it already; taken from now on. */
  unique(wanted: string): string {
    let name = wanted;
    for (let copy = 2; this.taken.has(name); copy++) name = `${wanted}_${copy}`;
    this.taken.add(name);
    return name;
  }
}

/** A graph and all inside it. */
const graphsIn = (graph: Graph): readonly Graph[] => [
  graph,
  ...graph.nodes.flatMap(subgraphsOf).flatMap(graphsIn),
];

/** What names of a node's parts begin with: its own name, or that of what it gives. */
export const labelOf = (node: Node): string =>
  node.name || (node.outputs.find(name => name !== '') ?? node.op);

/** A node of ai.onnx with one input, one output and no name, for instance an Identity. */
export const simpleNode = (op: string, input: string, output: string): Node => ({
  index: 0,
  name: '',
  op,
  domain: '',
  overload: '',
  inputs: [input],
  outputs: [output],
  attributes: new Map(),
  docString: '',
  metadata: new Map(),
  span: null,
});

/** Nodes with their places in the graph that they make up. */
export const numbered = (nodes: readonly Node[]): readonly Node[] =>
  nodes.map((node, index) => (node.index === index ? node : { ...node, index }));
