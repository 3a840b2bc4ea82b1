import type { Graph, Node } from './graph';

/** Subgraphs nested deeper than this are not looked into. */
export const MAX_SUBGRAPH_DEPTH = 64;

/** Names of values that depend on what is fed; those of the graphs around are seen through `outer`. */
export interface VaryingValues {
  readonly names: Set<string>;
  readonly outer: VaryingValues | null;
}

export function isVarying(values: VaryingValues, name: string): boolean {
  for (let current: VaryingValues | null = values; current !== null; current = current.outer)
    if (current.names.has(name)) return true;
  return false;
}

/** Inputs that only say how large something is: their producers are arithmetic on shapes, no layers. */
const SIZE_INPUTS: ReadonlyMap<string, readonly number[]> = new Map([
  ['Reshape', [1]],
  ['Expand', [1]],
  ['Tile', [1]],
  ['Slice', [1, 2, 3, 4]],
  ['Pad', [1, 3]],
  ['Resize', [1, 2, 3]],
  ['Upsample', [1]],
  ['Squeeze', [1]],
  ['Unsqueeze', [1]],
  ['Split', [1]],
  ['TopK', [1]],
  ['OneHot', [1]],
  ['ConstantOfShape', [0]],
  ['Range', [0, 1, 2]],
  ['CenterCropPad', [1]],
  ['MaxUnpool', [2]],
  ['AffineGrid', [1]],
  ['Col2Im', [1, 2]],
]);

const ONLY_SHAPE: ReadonlySet<string> = new Set(['Shape', 'Size']);
const RANDOM: ReadonlySet<string> = new Set([
  'RandomNormal',
  'RandomNormalLike',
  'RandomUniform',
  'RandomUniformLike',
  'Multinomial',
  'Bernoulli',
]);

/** True where an input of a node says how large something is instead of being computed with. */
export const isSizeInput = (node: Node, index: number): boolean =>
  node.domain === '' &&
  (ONLY_SHAPE.has(node.op) || (SIZE_INPUTS.get(node.op)?.includes(index) ?? false));

/** Subgraphs of a node (If, Loop, Scan …) with the attribute they are in. */
export function subgraphsByAttribute(
  node: Node,
): readonly { readonly attribute: string; readonly graph: Graph }[] {
  const found: { attribute: string; graph: Graph }[] = [];
  for (const [name, attribute] of node.attributes) {
    if (attribute.kind === 'graph') found.push({ attribute: name, graph: attribute.value });
    if (attribute.kind === 'graphs')
      attribute.value.forEach((graph, index) =>
        found.push({ attribute: `${name}_${index}`, graph }),
      );
  }
  return found;
}

/** Names that a node's subgraphs take from around them (and some of their own: those are found nowhere outside). */
export function captured(node: Node, depth = 0): readonly string[] {
  if (depth >= MAX_SUBGRAPH_DEPTH) return [];
  return subgraphsByAttribute(node).flatMap(({ graph }) => [
    ...graph.outputs.map(output => output.name),
    ...graph.nodes.flatMap(inner => [...inner.inputs, ...captured(inner, depth + 1)]),
  ]);
}

/** The nodes of a graph that compute with what is fed and reach an output, with the values that vary. */
export interface DataPath {
  readonly nodes: readonly Node[];
  readonly varying: VaryingValues;
}

/**
 * Nodes on the data path: their output depends on the graph's inputs (or on random numbers) by value, not only by shape, and reaches an
 * output of the graph by more than its shape. Left out are constants and what is computed from them alone, and arithmetic on shapes.
 * A graph whose outputs nothing makes (cut off by a broken file) keeps every node that depends on its inputs.
 */
export function dataPathOf(graph: Graph, outer: VaryingValues | null): DataPath {
  const varying: VaryingValues = { names: new Set(graph.inputs.map(input => input.name)), outer };
  const inner = new Map(graph.nodes.map(node => [node, captured(node)]));
  for (const node of graph.nodes) {
    const uses = [...node.inputs, ...(inner.get(node) ?? [])];
    const fed = !isOnlyShape(node) && uses.some(name => name !== '' && isVarying(varying, name));
    if (fed || RANDOM.has(node.op)) for (const name of node.outputs) varying.names.add(name);
  }
  const dependent = graph.nodes.filter(node => node.outputs.some(name => varying.names.has(name)));
  const live = liveValues(graph, inner);
  const reaching = dependent.filter(node => node.outputs.some(name => live.has(name)));
  return { nodes: reaching.length > 0 ? reaching : dependent, varying };
}

const isOnlyShape = (node: Node): boolean => node.domain === '' && ONLY_SHAPE.has(node.op);

/** Values that reach an output otherwise than as a shape. */
function liveValues(
  graph: Graph,
  inner: ReadonlyMap<Node, readonly string[]>,
): ReadonlySet<string> {
  const live = new Set(graph.outputs.map(output => output.name));
  for (const node of graph.nodes.toReversed()) {
    if (!node.outputs.some(name => name !== '' && live.has(name))) continue;
    node.inputs.forEach((name, index) => {
      if (name !== '' && !isSizeInput(node, index)) live.add(name);
    });
    for (const name of inner.get(node) ?? []) live.add(name);
  }
  return live;
}
