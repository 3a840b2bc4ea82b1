import { UserError } from '../../../protocol/errors';
import type { ValueInfo } from '../../../protocol/model';
import { producersOf, subgraphsOf } from './constantPlan';
import { GraphEncoder, type GraphSelection } from './encode';
import { externalLocations, isPlainLocation } from './externalLocations';
import type { ExternalData, Graph, Model, Node, TensorRef } from './graph';
import { ProtoWriter } from './protoWriter';

export interface EditRequest {
  /** Tensors of the main graph that the copy gives as outputs, whatever their type. */
  readonly outputs: readonly string[];
  /** Whether the copy gives the model's own outputs too, before the others. */
  readonly keepOriginalOutputs: boolean;
  /** Whether nodes and weights that no output needs are left out. */
  readonly truncate: boolean;
}

export interface EditedModel {
  /** A model of the same structure, without weights of more than 1 KiB: those are references into the original file, by its base name. */
  readonly bytes: Uint8Array;
  /** Whether the bytes refer to files in the model's folder. */
  readonly externalFolderNeeded: boolean;
}

/**
 * A copy of a model's structure that gives other outputs. Nothing of the computation changes, so ONNX Runtime gives the same values for
 * the outputs that were there. Throws UserError: `tensorNotFound`, `unsupported` for tensors inside If, Loop and Scan, and
 * `missingExternalData` where a weight is kept outside the model's folder. With `external`, weights of up to 1 KiB in other files are copied
 * too: where shapes are among them, ONNX Runtime refuses the copy otherwise.
 */
export function editModel(
  model: Model,
  request: EditRequest,
  external: ExternalData | null = null,
): EditedModel {
  const { graph, source } = model;
  for (const name of request.outputs) assertTensor(graph, name);
  const locations = externalLocations(model);
  for (const location of locations) assertPlain(location);
  const original = request.keepOriginalOutputs ? graph.outputs.map(({ name }) => name) : [];
  const outputs = [...new Set([...original, ...request.outputs])];
  const selection = select(graph, outputs, request.truncate);

  const encoder = new GraphEncoder(source, baseName(source.name), external);
  const writer = new ProtoWriter();
  for (const span of model.headerSpans) writer.raw(encoder.copy(span));
  for (const [domain, version] of model.opsets)
    writer.message(8, opset => {
      if (domain !== '') opset.text(1, domain);
      opset.int(2, version);
    });
  for (const { span } of model.functions) writer.bytes(25, encoder.copy(span));
  writer.message(7, inner => encoder.mainGraph(inner, graph, selection));
  return {
    bytes: writer.finish(),
    externalFolderNeeded: encoder.refersToFile || locations.length > 0,
  };
}

/** The last part of a path of any system. */
const baseName = (path: string): string => path.slice(path.search(/[^/]*$/)).replace(/^.*\\/, '');

/** ONNX Runtime opens what the copy names: nothing outside the model's folder may be among it. */
function assertPlain(location: string): void {
  if (isPlainLocation(location)) return;
  throw new UserError(
    'missingExternalData',
    `The model keeps weights in "${location.slice(0, 200)}", which is not inside its folder: only files beside a model are read.`,
  );
}

function assertTensor(graph: Graph, name: string): void {
  const isInput = graph.inputs.some(input => input.name === name);
  if (name !== '' && (producersOf(graph).has(name) || isInput || graph.initializers.has(name)))
    return;
  const holder = graph.nodes.find(node => subgraphsOf(node).some(inner => makes(inner, name)));
  if (holder && name !== '')
    throw new UserError(
      'unsupported',
      `The tensor "${name}" is inside the ${holder.op} node ${holder.name || `number ${holder.index}`}: values inside ${holder.op} can't be taken out, choose an output of that node.`,
    );
  throw new UserError('tensorNotFound', `The model has no tensor "${name}".`);
}

const makes = (graph: Graph, name: string): boolean =>
  producersOf(graph).has(name) ||
  graph.initializers.has(name) ||
  graph.inputs.some(input => input.name === name) ||
  graph.nodes.some(node => subgraphsOf(node).some(inner => makes(inner, name)));

function select(graph: Graph, outputs: readonly string[], truncate: boolean): GraphSelection {
  const values = graph.valueInfo;
  const outputSet = new Set(outputs);
  if (!truncate)
    return {
      nodes: graph.nodes,
      inputs: [...graph.inputs, ...overridableInputs(graph)],
      initializers: [...graph.initializers.values()],
      valueInfo: [...values.values()].filter(({ name }) => !outputSet.has(name)),
      outputs,
    };
  const { nodes, used } = needed(graph, outputs);
  const initializers: TensorRef[] = [];
  for (const [name, tensor] of graph.initializers) if (used.has(name)) initializers.push(tensor);
  return {
    nodes,
    inputs: [...graph.inputs, ...overridableInputs(graph)].filter(({ name }) => used.has(name)),
    initializers,
    valueInfo: [...values.values()].filter(({ name }) => used.has(name) && !outputSet.has(name)),
    outputs,
  };
}

/**
 * Weights that the file lists as inputs too stay inputs: ONNX Runtime folds what is constant, and a copy has to give the values of its
 * original to the last bit.
 */
const overridableInputs = (graph: Graph): readonly ValueInfo[] =>
  [...graph.overridable].flatMap(name => {
    const weight = graph.initializers.get(name);
    return weight ? [{ name, dtype: weight.dtype, shape: weight.shape }] : [];
  });

/** The nodes that some outputs need, in their order, and every value that they touch. */
function needed(
  graph: Graph,
  outputs: readonly string[],
): { readonly nodes: readonly Node[]; readonly used: ReadonlySet<string> } {
  const producers = producersOf(graph);
  const used = new Set(outputs);
  const kept = new Set<Node>();
  // a set is walked in the order of insertion, what is added meanwhile included
  for (const name of used) {
    const node = producers.get(name);
    if (!node || kept.has(node)) continue;
    kept.add(node);
    for (const use of usesOf(node)) used.add(use);
    for (const output of node.outputs) used.add(output);
  }
  used.delete('');
  return { nodes: graph.nodes.filter(node => kept.has(node)), used };
}

/** Inputs of a node and every name that its subgraphs use: names of their own do no harm. */
function usesOf(node: Node): string[] {
  const uses = [...node.inputs];
  for (const graph of subgraphsOf(node)) {
    for (const inner of graph.nodes) uses.push(...usesOf(inner));
    for (const output of graph.outputs) uses.push(output.name);
  }
  return uses;
}
