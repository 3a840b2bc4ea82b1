import type { AttentionInfo, AttentionLookalike } from '../../../../protocol/attention';
import type { Dimension, LayerInfo } from '../../../../protocol/model';
import { findAttention, type AttentionBlock, type AttentionInGraph } from '../../onnx/attention';
import type { Model, Node, TensorRef } from '../../onnx/graph';
import type { InferredValues } from '../../onnx/shapes/inferShapes';
import type { Tensor } from '../../onnx/tensor';
import type { KnownShape } from '../mapHints';
import { layoutOf } from './tokenLayout';

export interface AttentionListing {
  readonly attention: readonly AttentionInfo[];
  readonly lookalikes: readonly AttentionLookalike[];
}

/**
 * The attention of a model as its file tells. `facts` may be those for inputs of plausible sizes: what they leave open is null. Blocks in branches that
 * are never taken are no layers, and left out.
 */
export function listAttention(
  model: Model,
  layers: readonly LayerInfo[],
  facts: InferredValues,
  read: (ref: TensorRef) => Tensor,
): AttentionListing {
  const found = findAttention(model, facts, read);
  const layerOf = layerFinder(layers);
  const attention: AttentionInfo[] = [];
  const lookalikes: AttentionLookalike[] = [];
  for (const inGraph of found) {
    for (const block of inGraph.blocks) {
      const layer = layerOf(block.node);
      if (layer) attention.push(infoOf(inGraph, block, layer.id, knownIn(facts)));
    }
    for (const { kind, node } of inGraph.lookalikes) {
      const layer = layerOf(node);
      if (layer) lookalikes.push({ kind, layer: layer.id });
    }
  }
  return { attention, lookalikes };
}

/** The layer of a node, by its outputs. Branches that use the same names are met in the order of the layers. */
function layerFinder(layers: readonly LayerInfo[]): (node: Node) => LayerInfo | undefined {
  const byOutput = new Map<string, LayerInfo[]>();
  for (const layer of layers) {
    const output = layer.outputs.find(name => name !== '') ?? '';
    byOutput.set(output, [...(byOutput.get(output) ?? []), layer]);
  }
  return node => {
    const output = node.outputs.find(name => name !== '') ?? '';
    const candidates = byOutput.get(output) ?? [];
    return candidates.length > 1 ? candidates.shift() : candidates[0];
  };
}

const knownIn =
  (facts: InferredValues): KnownShape =>
  name => {
    const shape = facts.shapes.get(name)?.shape;
    const sizes = shape?.filter(size => typeof size === 'number');
    return sizes && sizes.length === shape?.length ? sizes : null;
  };

const numberOf = (size: Dimension): number | null => (typeof size === 'number' ? size : null);

function infoOf(
  { graph }: AttentionInGraph,
  block: AttentionBlock,
  layer: string,
  known: KnownShape,
): AttentionInfo {
  const keys = numberOf(block.keys);
  return {
    id: layer,
    layer,
    kind: block.kind,
    causal: block.causal,
    heads: numberOf(block.heads),
    keyHeads: numberOf(block.keyHeads),
    probabilities: block.probabilities?.tensor ?? null,
    queries: numberOf(block.queries),
    keys,
    scale: block.scale,
    masks: block.masks,
    grid: keys === null ? null : layoutOf(graph, block, 'keys', keys, known),
  };
}
