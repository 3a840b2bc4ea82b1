import type { ProbabilitiesFrom } from '../../../../protocol/attention';
import type { LayerInfo } from '../../../../protocol/model';
import type { AttentionBlock, AttentionInGraph, Probabilities } from '../../onnx/attention';
import type { Graph, Node } from '../../onnx/graph';
import { qualifiedOp } from '../../onnx/layerKinds';
import type { MethodContext } from '../method';

/** Nodes from the probabilities to the output of the operator that they were written out of. */
const MOST_STEPS = 8;

/** A block whose probabilities can be fetched. */
export interface RunBlock {
  readonly block: AttentionBlock;
  readonly layout: Probabilities;
  /** LayerInfo.id in the model as it is. */
  readonly id: string;
  readonly from: ProbabilitiesFrom;
  /** The operator's own output, where it was written out. */
  readonly output: string | null;
}

/** The blocks of a graph in the form that is differentiated whose probabilities can be fetched, and sentences on the others. */
export function runBlocks(
  { model, layers }: MethodContext,
  graph: Graph,
  found: readonly AttentionInGraph[],
): { readonly blocks: readonly RunBlock[]; readonly notes: readonly string[] } {
  const [main, ...inner] = found;
  const byOutput = new Map(
    layers.flatMap(layer => layer.outputs.map(name => [name, layer] as const)),
  );
  const users = usersIn(graph);
  const blocks: RunBlock[] = [];
  const notes: string[] = [];
  for (const block of main?.blocks ?? []) {
    const layout = block.probabilities;
    if (!layout) {
      notes.push(
        `The weights of ${block.node.name || block.context} are hidden: this form of ${qualifiedOp(block.node)} is not written out.`,
      );
      continue;
    }
    const own = byOutput.get(layout.tensor);
    const operator = own ? null : operatorBehind(layout.tensor, byOutput, users);
    const layer = own ?? operator;
    blocks.push({
      block,
      layout,
      id: layer?.id ?? layout.tensor,
      from: operator ? 'rebuilt' : 'graph',
      output: operator?.outputs[0] ?? null,
    });
  }
  const unreachable = inner.reduce((sum, each) => sum + each.blocks.length, 0);
  if (unreachable > 0)
    notes.push(
      `${unreachable} attention blocks lie inside a Loop, Scan or If of ${model.graph.name || 'the graph'}, whose values cannot be read from outside.`,
    );
  return { blocks, notes };
}

function usersIn(graph: Graph): ReadonlyMap<string, readonly Node[]> {
  const users = new Map<string, Node[]>();
  for (const node of graph.nodes)
    for (const name of node.inputs) users.set(name, [...(users.get(name) ?? []), node]);
  return users;
}

/** The layer of the model as it is whose operator was written out: its output kept its name, a few nodes behind. */
function operatorBehind(
  tensor: string,
  layers: ReadonlyMap<string, LayerInfo>,
  users: ReadonlyMap<string, readonly Node[]>,
): LayerInfo | null {
  let names = [tensor];
  for (let step = 0; step < MOST_STEPS && names.length > 0; step++) {
    names = names.flatMap(name => (users.get(name) ?? []).flatMap(node => node.outputs));
    const layer = names.map(name => layers.get(name)).find(each => each !== undefined);
    if (layer) return layer.kind === 'attention' ? layer : null;
  }
  return null;
}
