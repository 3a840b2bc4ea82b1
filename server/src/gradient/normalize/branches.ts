import type { ValueInfo } from '../../../../protocol/model';
import { producersOf } from '../../onnx/constantPlan';
import type { Attribute, Graph, Model, Node, TensorRef } from '../../onnx/graph';
import type { InferredValues } from '../../onnx/shapes/inferShapes';
import type { Form } from './form';
import { labelOf, Names, numbered, simpleNode } from './names';

/**
 * Puts the branch that an If takes in its place, where its condition is known. What a branch names is called `if/inner` outside, after the
 * node's name or its first output; its outputs have the If's names. Of nested nodes the outermost is resolved: see `normalize`.
 */
export function inlineDecidedBranches({ model, facts }: Form): Model {
  const { graph } = model;
  const branches = new Map(graph.nodes.map(node => [node, branchTaken(node, facts)]));
  if (![...branches.values()].some(branch => branch !== null)) return model;
  const names = { tensors: Names.ofTensors(graph), nodes: Names.ofNodes(graph) };
  const nodes: Node[] = [];
  const initializers = new Map(graph.initializers);
  const valueInfo = new Map(graph.valueInfo);
  for (const node of graph.nodes) {
    const branch = branches.get(node) ?? null;
    if (branch === null) nodes.push(node);
    else {
      const inlined = inline(node, branch, names);
      for (const each of inlined.nodes) nodes.push(each);
      for (const tensor of inlined.initializers) initializers.set(tensor.name, tensor);
      for (const value of inlined.values) valueInfo.set(value.name, value);
    }
  }
  return { ...model, graph: { ...graph, nodes: numbered(nodes), initializers, valueInfo } };
}

/**
 * The branch that a node takes; null for other nodes and unknown conditions, and where only sizes and masks come out: inference knows them without,
 * and ONNX Runtime checks shapes more closely than the model's author did once they are no longer hidden. Branches have no inputs (ONNX operator If).
 */
function branchTaken(node: Node, { shapes, elements }: InferredValues): Graph | null {
  if (node.op !== 'If' || node.domain !== '') return null;
  const isSize = (name: string): boolean =>
    ['int64', 'bool'].includes(shapes.get(name)?.dtype ?? '');
  if (node.outputs.every(isSize)) return null;
  const [condition] = elements(node.inputs[0] ?? '') ?? [];
  if (condition === undefined) return null;
  const branch = node.attributes.get(condition === 0 ? 'else_branch' : 'then_branch');
  return branch?.kind === 'graph' && branch.value.inputs.length === 0 ? branch.value : null;
}

type Renaming = ReadonlyMap<string, string>;

interface Inlined {
  readonly nodes: readonly Node[];
  readonly initializers: readonly TensorRef[];
  readonly values: readonly ValueInfo[];
}

function inline(
  node: Node,
  branch: Graph,
  names: { readonly tensors: Names; readonly nodes: Names },
): Inlined {
  const label = labelOf(node);
  const made = producersOf(branch);
  const renaming = new Map<string, string>();
  const copies: (readonly [string, string])[] = [];
  branch.outputs.forEach(({ name }, index) => {
    const outside = node.outputs[index] ?? '';
    if (outside === '') return;
    // what comes from around the branch, is a constant of it or is given twice keeps its own name
    if (made.has(name) && !renaming.has(name)) renaming.set(name, outside);
    else copies.push([name, outside]);
  });
  for (const name of [...branch.initializers.keys(), ...made.keys()])
    if (!renaming.has(name)) renaming.set(name, names.tensors.unique(`${label}/${name}`));
  return {
    nodes: [
      ...branch.nodes.map(inner => ({
        ...renamedNode(inner, renaming),
        name: inner.name && names.nodes.unique(`${label}/${inner.name}`),
      })),
      ...copies.map(([from, to]) => simpleNode('Identity', renamed(from, renaming), to)),
    ],
    initializers: [...branch.initializers.values()].map(tensor => ({
      ...tensor,
      name: renamed(tensor.name, renaming),
    })),
    values: [...branch.valueInfo.values()]
      .filter(value => made.has(value.name))
      .map(value => ({ ...value, name: renamed(value.name, renaming) })),
  };
}

const renamed = (name: string, renaming: Renaming): string => renaming.get(name) ?? name;

function renamedNode(node: Node, renaming: Renaming): Node {
  const attributes = new Map<string, Attribute>();
  for (const [name, attribute] of node.attributes)
    attributes.set(name, renamedAttribute(attribute, renaming));
  return {
    ...node,
    inputs: node.inputs.map(name => renamed(name, renaming)),
    outputs: node.outputs.map(name => renamed(name, renaming)),
    attributes,
    span: null,
  };
}

function renamedAttribute(attribute: Attribute, renaming: Renaming): Attribute {
  switch (attribute.kind) {
    case 'graph':
      return { kind: 'graph', value: renamedSubgraph(attribute.value, renaming) };
    case 'graphs':
      return {
        kind: 'graphs',
        value: attribute.value.map(graph => renamedSubgraph(graph, renaming)),
      };
    default:
      return attribute;
  }
}

/** A graph inside a branch: what it takes from around it. Its own names are others (onnx IR.md: names are unique in a graph and those inside it). */
const renamedSubgraph = (graph: Graph, renaming: Renaming): Graph => ({
  ...graph,
  nodes: graph.nodes.map(node => renamedNode(node, renaming)),
  outputs: graph.outputs.map(value => ({ ...value, name: renamed(value.name, renaming) })),
});
