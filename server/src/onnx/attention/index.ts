import { isVarying, MAX_SUBGRAPH_DEPTH, subgraphsByAttribute, type VaryingValues } from '../dataPath';
import type { Graph, Model } from '../graph';
import type { AttentionBlock } from './block';
import { attentionAt } from './decomposed';
import { fusedAttention } from './fused';
import { GraphView, type Facts } from './graphView';
import type { ReadTensor } from './masks';

/** The attention blocks of a model's main graph, in the order of its nodes. Reads small constants only, and never throws for what is in the model. */
export function findAttention(model: Model, facts: Facts, read: ReadTensor): AttentionBlock[] {
  const view = new GraphView(model, model.graph, facts, null);
  return view.nodes.flatMap(node => fusedAttention(view, node) ?? attentionAt(view, node, read) ?? []);
}
