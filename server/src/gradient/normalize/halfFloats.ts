import type { DataType, ValueInfo } from '../../../../protocol/model';
import { subgraphsOf } from '../../onnx/constantPlan';
import { constantTensor } from '../../onnx/constantNode';
import { codeOf } from '../../onnx/dataTypes';
import type { Attribute, Graph, Model, Node, TensorRef } from '../../onnx/graph';
import type { Form } from './form';
import { Names, numbered, simpleNode } from './names';

const isHalf = (dtype: DataType): boolean => dtype === 'float16' || dtype === 'bfloat16';

const HALF_CODES: ReadonlySet<number> = new Set([codeOf('float16'), codeOf('bfloat16')]);
const FLOAT32 = codeOf('float32');

/** Attributes that name an element type by number, whatever the operator. */
const TYPE_ATTRIBUTES: ReadonlySet<string> = new Set([
  'to',
  'dtype',
  'output_dtype',
  'output_datatype',
  'softmax_precision',
  'stash_type',
  'precision',
]);

/**
 * Makes a model of 16-bit floats one of float32, its inputs and outputs and the graphs inside nodes included. Stored tensors stay as they are,
 * as `name/half`, with a Cast behind them that gives the name: ONNX Runtime folds it when it loads the model. Those that the file lists as
 * inputs too become plain constants for that.
 */
export function widenHalfFloats({ model }: Form): Model {
  if (!usesHalf(model.graph)) return model;
  return { ...model, graph: widened(model.graph, Names.ofTensors(model.graph)) };
}

function usesHalf(graph: Graph): boolean {
  const stored = [...graph.initializers.values()];
  const declared = [...graph.inputs, ...graph.outputs, ...graph.valueInfo.values()];
  return (
    [...stored, ...declared].some(({ dtype }) => isHalf(dtype)) ||
    graph.nodes.some(
      node =>
        storesHalf(node) ||
        [...node.attributes].some(([name, attribute]) => namesHalf(name, attribute)) ||
        subgraphsOf(node).some(usesHalf),
    )
  );
}

const namesHalf = (name: string, attribute: Attribute): boolean =>
  attribute.kind === 'int' && TYPE_ATTRIBUTES.has(name) && HALF_CODES.has(attribute.value);

/** Constant, and ConstantOfShape with its filler. */
function storesHalf(node: Node): boolean {
  if (node.domain !== '') return false;
  const value = node.op === 'ConstantOfShape' ? node.attributes.get('value') : undefined;
  const stored = value?.kind === 'tensor' ? value.value : constantTensor(node);
  return stored !== null && isHalf(stored.dtype);
}

function widened(graph: Graph, names: Names): Graph {
  const initializers = new Map<string, TensorRef>();
  const nodes: Node[] = [];
  for (const [name, tensor] of graph.initializers) {
    const stored = isHalf(tensor.dtype) ? names.unique(`${name}/half`) : name;
    initializers.set(stored, stored === name ? tensor : { ...tensor, name: stored });
    if (stored !== name) nodes.push(castToFloat32(stored, name));
  }
  for (const node of graph.nodes) {
    const changed = widenedNode(node, names);
    const [output = ''] = node.outputs;
    if (!storesHalf(node)) nodes.push(changed);
    else {
      const stored = names.unique(`${output}/half`);
      nodes.push({ ...changed, outputs: [stored], span: null });
      nodes.push(castToFloat32(stored, output));
    }
  }
  const values = [...graph.inputs, ...graph.outputs, ...graph.valueInfo.values()];
  const stale = new Set(values.filter(({ dtype }) => isHalf(dtype)).map(({ name }) => name));
  return {
    ...graph,
    nodes: numbered(nodes),
    inputs: graph.inputs.map(widenedValue),
    outputs: graph.outputs.map(widenedValue),
    initializers,
    valueInfo: new Map([...graph.valueInfo].map(([name, value]) => [name, widenedValue(value)])),
    overridable: new Set([...graph.overridable].filter(name => initializers.has(name))),
    valueSpans: new Map([...(graph.valueSpans ?? [])].filter(([name]) => !stale.has(name))),
  };
}

const widenedValue = (value: ValueInfo): ValueInfo =>
  isHalf(value.dtype) ? { ...value, dtype: 'float32' } : value;

const castToFloat32 = (input: string, output: string): Node => ({
  ...simpleNode('Cast', input, output),
  attributes: new Map([['to', { kind: 'int', value: FLOAT32 }]]),
});

function widenedNode(node: Node, names: Names): Node {
  const attributes = new Map(
    [...node.attributes].map(([name, attribute]) => [
      name,
      namesHalf(name, attribute)
        ? ({ kind: 'int', value: FLOAT32 } as const)
        : widenedAttribute(attribute, names),
    ]),
  );
  const same = [...attributes].every(([name, each]) => node.attributes.get(name) === each);
  return same ? node : { ...node, attributes, span: null };
}

function widenedAttribute(attribute: Attribute, names: Names): Attribute {
  const inner = (graph: Graph): Graph => (usesHalf(graph) ? widened(graph, names) : graph);
  switch (attribute.kind) {
    case 'graph': {
      const value = inner(attribute.value);
      return value === attribute.value ? attribute : { kind: 'graph', value };
    }
    case 'graphs': {
      const value = attribute.value.map(inner);
      return value.every((graph, i) => graph === attribute.value[i])
        ? attribute
        : { kind: 'graphs', value };
    }
    default:
      return attribute;
  }
}
