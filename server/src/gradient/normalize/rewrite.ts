import type { Attribute, Model, Node, TensorRef } from '../../onnx/graph';
import { qualifiedOp } from '../../onnx/layerKinds';
import { isKnown } from '../../onnx/shapes/dimensions';
import type { EmittedAttribute, EmittedAttributes } from '../emitter';
import { Operators } from '../operators';
import { RuleNode } from '../rule';
import type { Value } from '../value';
import type { Form } from './form';
import { labelOf, Names, numbered, simpleNode } from './names';

/** Writes operators out as simpler ones that compute the same. */
export interface Rewrite {
  /** Operator types; those of other domains as `com.microsoft.Gelu`. */
  readonly ops: readonly string[];
  /**
   * The values of the node's outputs, by position; those that the model does not name may be left out. Null where this form of the operator is
   * not written out: the node stays.
   */
  write(n: RuleNode, e: Operators): readonly (Value | null)[] | null;
}

/**
 * Replaces nodes by what their rewrites say. Outputs keep their names; the new nodes are called `node/operator` after the node or, where it has
 * no name, its first output (so the probabilities of an attention come from `node/softmax`). Nodes with an input of unknown size stay.
 */
export function rewriteNodes({ model, facts }: Form, rewrites: readonly Rewrite[]): Model {
  const byOp = new Map(rewrites.flatMap(rewrite => rewrite.ops.map(op => [op, rewrite] as const)));
  const { graph } = model;
  if (!graph.nodes.some(node => byOp.has(qualifiedOp(node)))) return model;
  const shapes = new Map(facts.shapes);
  const e = new Operators(model, { shapes, elements: name => facts.elements(name) });
  const known = (name: string): boolean => {
    const { dtype = 'undefined', shape = null } = shapes.get(name) ?? {};
    return name === '' || (dtype !== 'undefined' && isKnown(shape));
  };
  const nodes: Node[] = [];
  const names = Names.ofNodes(graph);
  let changed = false;
  for (const node of graph.nodes) {
    const rewrite = node.inputs.every(known) ? byOp.get(qualifiedOp(node)) : undefined;
    const first = e.nodes.length;
    const values = rewrite?.write(new RuleNode(node, 'gradient', e, []), e) ?? null;
    if (values === null) {
      nodes.push(node);
      continue;
    }
    changed = true;
    nodes.push(...inPlaceOf(node, e.nodes.slice(first), values, names));
    node.outputs.forEach((name, i) => {
      const value = values[i];
      if (value) shapes.set(name, { name, dtype: value.dtype, shape: value.shape });
    });
  }
  if (!changed) return model;
  const initializers = new Map<string, TensorRef>([...graph.initializers, ...e.initializers]);
  return { ...model, graph: { ...graph, nodes: numbered(nodes), initializers } };
}

/** New nodes under the names of the node that they replace. */
function inPlaceOf(
  node: Node,
  nodes: readonly Node[],
  values: readonly (Value | null)[],
  names: Names,
): readonly Node[] {
  const label = labelOf(node);
  const made = new Set(nodes.flatMap(each => each.outputs));
  const renaming = new Map<string, string>();
  const copies: Node[] = [];
  node.outputs.forEach((name, i) => {
    if (name === '') return;
    const value = values[i];
    if (!value) throw new Error(`${node.op} was written out without its output ${i}`);
    if (made.has(value.name) && !renaming.has(value.name)) renaming.set(value.name, name);
    else copies.push(simpleNode('Identity', renaming.get(value.name) ?? value.name, name));
  });
  const renamed = (name: string): string => renaming.get(name) ?? name;
  return [
    ...nodes.map(each => ({
      ...each,
      name: names.unique(`${label}/${each.op.toLowerCase()}`),
      inputs: each.inputs.map(renamed),
      outputs: each.outputs.map(renamed),
      metadata: node.metadata,
    })),
    ...copies,
  ];
}

/** Those of a node's attributes that have these names, for a node that takes them over. */
export function copied(n: RuleNode, names: readonly string[]): EmittedAttributes {
  const attributes: Record<string, EmittedAttribute> = {};
  for (const name of names) {
    const attribute = n.attribute(name);
    const value = attribute && emitted(attribute);
    if (value !== undefined) attributes[name] = value;
  }
  return attributes;
}

function emitted(attribute: Attribute): EmittedAttribute | undefined {
  switch (attribute.kind) {
    case 'int':
    case 'string':
    case 'ints':
      return attribute.value;
    case 'float':
      return { float: attribute.value };
    case 'floats':
      return { floats: attribute.value };
    default:
      return undefined;
  }
}
