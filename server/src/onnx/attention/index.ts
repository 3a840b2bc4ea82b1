import { MAX_SUBGRAPH_DEPTH, subgraphsByAttribute, type VaryingValues } from '../dataPath';
import type { Graph, Model } from '../graph';
import type { AttentionBlock } from './block';
import { attentionAt } from './decomposed';
import { fusedAttention } from './fused';
import { GraphView, type Facts } from './graphView';
import { lookalikesIn, type Lookalike } from './lookalikes';
import type { ReadTensor } from './masks';

export type { AttentionBlock, AxisRole, Probabilities } from './block';
export type { Lookalike } from './lookalikes';

/** The attention in one graph. */
export interface AttentionInGraph {
  /** The main graph, or one inside it, whose values cannot be fetched. */
  readonly graph: Graph;
  /** In the order of the nodes. */
  readonly blocks: readonly AttentionBlock[];
  readonly lookalikes: readonly Lookalike[];
}

/**
 * The attention of a model: every operator that computes it as a whole, and every softmax of scores Q · Kᵀ that weights values, in whatever form an
 * exporter wrote it. Nothing else that is normalised is listed (class scores, choices between branches). The main graph comes first, those inside
 * it behind. Reads small constants and masks only, and never throws for what is in the model. A model with local functions is passed inlined.
 */
export function findAttention(model: Model, facts: Facts, read: ReadTensor): AttentionInGraph[] {
  const found: AttentionInGraph[] = [];
  const search = (graph: Graph, outer: VaryingValues | null, depth: number): void => {
    const view = new GraphView(model, graph, facts, outer);
    found.push(inGraph(view, read));
    if (depth >= MAX_SUBGRAPH_DEPTH) return;
    for (const inner of view.nodes.flatMap(subgraphsByAttribute))
      search(inner.graph, view.varying, depth + 1);
  };
  search(model.graph, null, 0);
  return found;
}

function inGraph(view: GraphView, read: ReadTensor): AttentionInGraph {
  const blocks = view.nodes.flatMap(
    node => fusedAttention(view, node) ?? attentionAt(view, node, read) ?? [],
  );
  const contexts = new Set(blocks.map(({ context }) => context));
  return { graph: view.graph, blocks, lookalikes: lookalikesIn(view, contexts) };
}
