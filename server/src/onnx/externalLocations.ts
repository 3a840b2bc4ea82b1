import type { Attribute, Graph, Model, Node, TensorRef } from './graph';

/**
 * True for a name that can only mean a file inside the model's folder or below it: relative, without `..`, backslash, drive, or the marker
 * by which ONNX Runtime means an address in memory.
 */
export function isPlainLocation(location: string): boolean {
  if (location === '' || location.length > 1024 || /[\\:*?\0]/.test(location)) return false;
  return location.split('/').every(part => part !== '' && part !== '..') && location !== '.';
}

/** The external files that the tensors of a model name, in the order of the file, each once. */
export function externalLocations(model: Model): readonly string[] {
  const found = new Set<string>();
  const visit = (tensor: TensorRef): void => {
    const { location } = tensor;
    if (location.kind === 'external') found.add(location.location);
    else if (location.kind === 'sparse') {
      visit(location.values);
      visit(location.indices);
    }
  };
  visitTensors(model.graph, visit);
  for (const { nodes, attributeDefaults } of model.functions) {
    for (const node of nodes) visitNode(node, visit);
    for (const attribute of attributeDefaults.values()) visitAttribute(attribute, visit);
  }
  return [...found];
}

function visitTensors(graph: Graph, visit: (tensor: TensorRef) => void): void {
  for (const tensor of graph.initializers.values()) visit(tensor);
  for (const node of graph.nodes) visitNode(node, visit);
}

function visitNode(node: Node, visit: (tensor: TensorRef) => void): void {
  for (const attribute of node.attributes.values()) visitAttribute(attribute, visit);
}

function visitAttribute(attribute: Attribute, visit: (tensor: TensorRef) => void): void {
  if (attribute.kind === 'tensor') visit(attribute.value);
  else if (attribute.kind === 'tensors') attribute.value.forEach(visit);
  else if (attribute.kind === 'graph') visitTensors(attribute.value, visit);
  else if (attribute.kind === 'graphs')
    attribute.value.forEach(graph => visitTensors(graph, visit));
}
