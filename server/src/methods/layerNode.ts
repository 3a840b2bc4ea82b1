import type { LayerInfo } from '../../../protocol/model';
import type { Attribute, Graph, Node } from '../onnx/graph';
import { describeConstant, resolveConstant, type Constant } from '../onnx/constants';
import type { MethodContext } from './method';

/** A layer's node and the graphs that its names are looked up in, innermost first. */
export interface LayerNode {
  readonly node: Node;
  readonly scopes: readonly Graph[];
}

/** The node of a layer, in the main graph or in the subgraph that the layer says. */
export function layerNode(context: MethodContext, layer: LayerInfo): LayerNode {
  const found = findNode([context.model.graph], layer);
  if (!found) throw new Error(`the layer ${layer.id} has no node`);
  return found;
}

function findNode(scopes: readonly Graph[], layer: LayerInfo): LayerNode | null {
  const graph = scopes[0];
  if (!graph) return null;
  const isLayer = (node: Node): boolean =>
    node.outputs.length === layer.outputs.length &&
    node.outputs.every((output, i) => output === layer.outputs[i]) &&
    node.name === layer.name;
  const inside = (layer.subgraph === '') === (scopes.length === 1);
  const node = inside ? graph.nodes.find(isLayer) : undefined;
  if (node) return { node, scopes };
  if (layer.subgraph === '') return null;
  for (const outer of graph.nodes)
    for (const attribute of outer.attributes.values())
      for (const subgraph of subgraphsOf(attribute)) {
        const found = findNode([subgraph, ...scopes], layer);
        if (found) return found;
      }
  return null;
}

function subgraphsOf(attribute: Attribute): readonly Graph[] {
  if (attribute.kind === 'graph') return [attribute.value];
  return attribute.kind === 'graphs' ? attribute.value : [];
}

/** The constant behind an input of a layer; null where it is left out or no constant. */
export function constantInput(
  context: MethodContext,
  { node, scopes }: LayerNode,
  index: number,
): Constant | null {
  const name = node.inputs[index] ?? '';
  if (name === '') return null;
  for (const scope of scopes) {
    const constant = resolveConstant(context.model, scope, name, ref => context.readTensor(ref));
    if (constant) return constant;
  }
  return null;
}

/** The shape of the constant behind an input, without reading it; null where it is left out or no constant. */
export function constantShape(
  context: MethodContext,
  { node, scopes }: LayerNode,
  index: number,
): readonly number[] | null {
  const name = node.inputs[index] ?? '';
  if (name === '') return null;
  for (const scope of scopes) {
    const constant = describeConstant(context.model, scope, name, ref => context.readTensor(ref));
    if (constant) return constant.shape;
  }
  return null;
}

/** An integer attribute, or what it is where it is left out. */
export function intAttribute(node: Node, name: string, absent: number): number {
  const attribute = node.attributes.get(name);
  return attribute?.kind === 'int' ? attribute.value : absent;
}
