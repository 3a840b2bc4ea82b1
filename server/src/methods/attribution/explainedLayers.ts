import type { ExplainParams } from '../../../../protocol/attribution';
import { ATTRIBUTION_FACTS } from '../../../../protocol/attributionFacts';
import { UserError } from '../../../../protocol/errors';
import { inputsOf } from '../../gradient/activePath';
import type { Graph } from '../../onnx/graph';
import type { MethodContext } from '../method';
import type { Derivatives } from './derivatives';
import { gridOf, spatialGridOf, type LayerGrid } from './layerGrid';
import { suggestedLayer, suggestedLayers } from './suggestedLayer';
import type { Target } from './targets';

/** Methods that do not run the part behind the layer: the target may be anywhere. */
const FREE = ['eigen-cam', 'score-cam'];

/**
 * The layers that were asked for, or the suggested one where the method is of a layer; none for methods on the input.
 * @throws UserError `layerNotFound`, `unsupported`, `noGrid`, and `noPath` for a layer behind the target.
 */
export async function explainedLayers(
  { method, layers }: ExplainParams,
  context: MethodContext,
  derivatives: Derivatives,
  target: Target,
): Promise<{ readonly grids: readonly LayerGrid[]; readonly reason: string | null }> {
  const facts = ATTRIBUTION_FACTS[method];
  const onInput = facts.of === 'input' && method !== 'guided-grad-cam';
  if (onInput && method !== 'gradient') return { grids: [], reason: null };
  if (onInput || layers.length > 0) {
    const read = onInput ? gridOf : spatialGridOf;
    const grids = layers.map(name => {
      const tensor = tensorFor(name, context, derivatives);
      if (!FREE.includes(method)) checkPath(name, tensor, context, derivatives, target);
      return read(derivatives, tensor);
    });
    return { grids, reason: null };
  }
  const suggested = await suggestedLayer(context.layers, derivatives, target);
  if (!suggested)
    throw new UserError(
      'noGrid',
      'No layer of this model has a spatial grid that leads to the target; use a method on the input, such as gradient or occlusion.',
    );
  return { grids: [suggested.grid], reason: suggested.reason };
}

/** The tensor of a layer id, or the tensor of this name. */
function tensorFor(name: string, { layers }: MethodContext, { facts }: Derivatives): string {
  const layer = layers.find(candidate => candidate.id === name);
  if (layer && layer.subgraph !== '')
    throw new UserError(
      'unsupported',
      `The layer "${name}" lies inside ${layer.subgraph}, whose values cannot be read from outside; choose a layer of the main graph.`,
    );
  const tensor = layer?.outputs.find(output => output !== '') ?? name;
  if (facts.shapes.has(tensor)) return tensor;
  throw new UserError('layerNotFound', `The model has no layer or tensor "${name}".`);
}

function checkPath(
  name: string,
  tensor: string,
  context: MethodContext,
  derivatives: Derivatives,
  target: Target,
): void {
  if (leadsTo(derivatives.model.graph, tensor, target.tensor)) return;
  const suggested = suggestedLayers(context.layers, derivatives, target).at(-1);
  const instead = suggested ? `, such as "${suggested.layer.id}"` : '';
  throw new UserError(
    'noPath',
    `Nothing leads from the layer "${name}" to the target (${target.words}, tensor "${target.tensor}"); choose a layer before it${instead}.`,
  );
}

/** Whether a tensor is computed from another, or is that. */
function leadsTo(graph: Graph, from: string, to: string): boolean {
  const reached = new Set([from]);
  for (const node of graph.nodes)
    if (inputsOf(node).some(name => reached.has(name)))
      for (const output of node.outputs) reached.add(output);
  return reached.has(to);
}
