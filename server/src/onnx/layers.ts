import type { AttributeValue, LayerInfo, ValueInfo } from '../../../protocol/model';
import {
  dataPathOf,
  isVarying,
  MAX_SUBGRAPH_DEPTH,
  subgraphsByAttribute,
  type VaryingValues,
} from './dataPath';
import type { Attribute, Graph, Model, Node } from './graph';
import { kindOf, qualifiedOp } from './layerKinds';
import { parameterCountOf, parametersOf } from './layerParameters';
import { modulePathOf, withoutRepeats } from './modulePaths';

/** Longer attribute lists are left out of a layer's description. */
const MAX_ATTRIBUTE_LENGTH = 256;

/**
 * The layers of a model in the order of its nodes, those of subgraphs behind the node that holds them: every node on the data path (see
 * `dataPathOf`), with its kind, its parameters, and the module path that the file tells. A model with local functions is passed inlined.
 * `shapes` and `elements` are what `inferValues` gave for the same model; with `elements`, a branch of If that a constant condition never
 * takes is left out.
 *
 * Ids are unique and stable over re-reads: the node's name where only this node has it, else operator and index (`Conv_12`), in a
 * subgraph behind its path (`If_3/then_branch/Conv_12`).
 */
export function listLayers(
  model: Model,
  shapes: ReadonlyMap<string, ValueInfo>,
  elements: (name: string) => readonly number[] | null = () => null,
): LayerInfo[] {
  const collector = new LayerCollector(model, shapes, elements);
  collector.add(model.graph, null, '', 0);
  return withoutRepeats(collector.layers);
}

class LayerCollector {
  readonly layers: LayerInfo[] = [];
  private readonly taken: Set<string>;
  private readonly uses: ReadonlyMap<string, number>;

  constructor(
    private readonly model: Model,
    private readonly shapes: ReadonlyMap<string, ValueInfo>,
    private readonly elements: (name: string) => readonly number[] | null,
  ) {
    this.uses = nameUses(model.graph);
    this.taken = new Set(this.uses.keys());
  }

  add(graph: Graph, outerValues: VaryingValues | null, subgraph: string, depth: number): void {
    const { nodes, varying } = dataPathOf(graph, outerValues);
    for (const node of nodes) {
      const id = this.idOf(node, subgraph);
      this.layers.push(this.describe(node, id, subgraph, graph, varying));
      if (depth >= MAX_SUBGRAPH_DEPTH) continue;
      const dead = subgraph === '' ? this.deadBranch(node) : null;
      for (const inner of subgraphsByAttribute(node)) {
        if (inner.attribute === dead) continue;
        this.add(inner.graph, varying, `${id}/${inner.attribute}`, depth + 1);
      }
    }
  }

  private describe(
    node: Node,
    id: string,
    subgraph: string,
    graph: Graph,
    varying: VaryingValues,
  ): LayerInfo {
    const parameters = parametersOf(
      node,
      this.model,
      graph,
      this.shapes,
      name => !isVarying(varying, name),
    );
    const [output] = node.outputs;
    return {
      id,
      name: node.name,
      op: qualifiedOp(node),
      kind: kindOf(
        node,
        parameters.some(parameter => parameter.role === 'weight'),
      ),
      modulePath: modulePathOf(node, parameters, [graph, this.model.graph]),
      inputs: node.inputs,
      outputs: node.outputs,
      outputShape: (output === undefined ? null : this.shapes.get(output)?.shape) ?? null,
      parameters,
      parameterCount: parameterCountOf(parameters),
      attributes: attributesOf(node),
      source: null,
      subgraph,
    };
  }

  /** The branch of an If in the main graph that is never taken; null where that depends on what is fed. */
  private deadBranch(node: Node): string | null {
    if (node.op !== 'If' || node.domain !== '') return null;
    const [condition] = this.elements(node.inputs[0] ?? '') ?? [];
    if (condition === undefined) return null;
    return condition === 0 ? 'then_branch' : 'else_branch';
  }

  private idOf(node: Node, subgraph: string): string {
    if (node.name !== '' && this.uses.get(node.name) === 1) return node.name;
    let id = `${subgraph === '' ? '' : `${subgraph}/`}${node.op}_${node.index}`;
    while (this.taken.has(id)) id += "'";
    this.taken.add(id);
    return id;
  }
}

/** How often each node name is used, subgraphs included. */
function nameUses(graph: Graph): ReadonlyMap<string, number> {
  const uses = new Map<string, number>();
  const visit = (current: Graph, depth: number): void => {
    for (const node of current.nodes) {
      if (node.name !== '') uses.set(node.name, (uses.get(node.name) ?? 0) + 1);
      if (depth < MAX_SUBGRAPH_DEPTH)
        for (const inner of subgraphsByAttribute(node)) visit(inner.graph, depth + 1);
    }
  };
  visit(graph, 0);
  return uses;
}

function attributeValue(attribute: Attribute): AttributeValue | null {
  switch (attribute.kind) {
    case 'float':
    case 'int':
    case 'string':
      return attribute.value;
    case 'floats':
    case 'ints':
    case 'strings':
      return attribute.value.length <= MAX_ATTRIBUTE_LENGTH ? attribute.value : null;
    default:
      return null;
  }
}

function attributesOf(node: Node): Readonly<Record<string, AttributeValue>> {
  const entries: [string, AttributeValue][] = [];
  for (const [name, attribute] of node.attributes) {
    const value = attributeValue(attribute);
    if (value !== null) entries.push([name, value]);
  }
  return Object.fromEntries(entries);
}
