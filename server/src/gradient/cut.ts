import type { Graph, Model, Node, TensorRef } from '../onnx/graph';
import type { InferredValues } from '../onnx/shapes/inferShapes';
import { inputsOf } from './activePath';

/** The part of a graph behind some tensors. */
export interface Tail {
  /** The model with the cut tensors, and what else the part takes from outside it, as graph inputs. */
  readonly model: Model;
  /** Names of those inputs: to be fetched from a run of the whole. */
  readonly inputs: readonly string[];
}

/**
 * Cuts a model at tensors: what depends on them stays, they and everything else that this part computes with become graph inputs. Constants
 * stay constants, and small integers that follow from sizes become some. Of `at`, tensors that depend on another of them stay computed.
 */
export function cutAt(model: Model, facts: InferredValues, at: readonly string[]): Tail {
  const { graph } = model;
  const varying = varyingValues(graph);
  const wanted = new Set(at);
  const inside = new Set<string>();
  const tail: Node[] = [];
  const starts = new Set(at.filter(name => graph.inputs.some(input => input.name === name)));
  for (const node of graph.nodes) {
    const depends = inputsOf(node).some(name => inside.has(name) || starts.has(name));
    if (depends) {
      tail.push(node);
      for (const name of node.outputs) inside.add(name);
    } else for (const name of node.outputs) if (wanted.has(name)) starts.add(name);
  }
  const inputs = new Set(starts);
  const constants = new Map<string, TensorRef>();
  for (const name of tail.flatMap(inputsOf)) {
    if (name === '' || inside.has(name) || !varying.has(name)) continue;
    const small = starts.has(name) ? null : smallConstant(facts, name);
    if (small) constants.set(name, small);
    else inputs.add(name);
  }
  return {
    model: { ...model, graph: cutGraph(graph, facts, inputs, constants) },
    inputs: [...inputs],
  };
}

/** Values that depend on what is fed. */
function varyingValues(graph: Graph): ReadonlySet<string> {
  const varying = new Set(graph.inputs.map(input => input.name));
  for (const node of graph.nodes)
    if (inputsOf(node).some(name => varying.has(name)))
      for (const name of node.outputs) varying.add(name);
  return varying;
}

function smallConstant(facts: InferredValues, name: string): TensorRef | null {
  const info = facts.shapes.get(name);
  const elements = info?.dtype === 'int64' ? facts.elements(name) : null;
  const shape = info?.shape?.filter(size => typeof size === 'number');
  if (!elements || !shape || shape.length !== info?.shape?.length) return null;
  const bytes = new Uint8Array(BigInt64Array.from(elements, BigInt).buffer);
  return { name, dtype: 'int64', shape, location: { kind: 'bytes', bytes }, span: null };
}

function cutGraph(
  graph: Graph,
  facts: InferredValues,
  inputs: ReadonlySet<string>,
  constants: ReadonlyMap<string, TensorRef>,
): Graph {
  const replaced = (name: string): boolean => inputs.has(name) || constants.has(name);
  const nodes = graph.nodes.flatMap(node => {
    if (!node.outputs.some(replaced)) return [node];
    if (node.outputs.every(name => name === '' || replaced(name))) return [];
    // the node's other outputs may be wanted: what is replaced gets a name that nobody asks for
    const outputs = node.outputs.map(name => (replaced(name) ? `${name}/before the cut` : name));
    return [{ ...node, outputs, span: null }];
  });
  const known = (name: string): boolean => graph.inputs.some(input => input.name === name);
  return {
    ...graph,
    nodes: nodes.map((node, index) => ({ ...node, index })),
    inputs: [
      ...graph.inputs,
      ...[...inputs]
        .filter(name => !known(name))
        .map(name => facts.shapes.get(name) ?? { name, dtype: 'undefined' as const, shape: null }),
    ],
    initializers: new Map([...graph.initializers, ...constants]),
    valueInfo: new Map([...graph.valueInfo].filter(([name]) => !replaced(name))),
    overridable: new Set(),
  };
}
