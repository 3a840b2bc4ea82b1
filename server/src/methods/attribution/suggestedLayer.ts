import type { LayerInfo } from '../../../../protocol/model';
import { producersOf } from '../../onnx/constantPlan';
import type { Graph, Node } from '../../onnx/graph';
import { activePath } from '../../gradient/activePath';
import { classCount } from '../classScores';
import type { InferredValues } from '../../onnx/shapes/inferShapes';
import type { Derivatives } from './derivatives';
import { gridOf, type LayerGrid } from './layerGrid';
import type { Target } from './targets';

/** A layer with a spatial grid and a way to the target. */
export interface GridLayer {
  readonly layer: LayerInfo;
  readonly grid: LayerGrid;
}

export interface SuggestedLayer extends GridLayer {
  readonly reason: string;
}

/** Found once for the facts of a prepared model. */
const found = new WeakMap<InferredValues, Map<string, readonly GridLayer[]>>();

/** The layers of the main graph whose output has a grid of more than one place and leads to the target, in the order of the graph. */
export function gridLayers(
  layers: readonly LayerInfo[],
  derivatives: Derivatives,
  target: string,
): readonly GridLayer[] {
  const byTarget = found.get(derivatives.facts) ?? new Map<string, readonly GridLayer[]>();
  found.set(derivatives.facts, byTarget);
  const known = byTarget.get(target) ?? gridLayersOf(layers, derivatives, target);
  byTarget.set(target, known);
  return known;
}

function gridLayersOf(
  layers: readonly LayerInfo[],
  derivatives: Derivatives,
  target: string,
): readonly GridLayer[] {
  const { graph } = derivatives.model;
  const inputs = graph.inputs.map(({ name }) => name);
  const { nodes } = activePath(graph, derivatives.facts, inputs, target);
  const leading = new Set(nodes.flatMap(node => node.inputs));
  return layers.flatMap(layer => {
    const [tensor = ''] = layer.outputs;
    if (layer.subgraph !== '' || !leading.has(tensor)) return [];
    const shape = derivatives.shapeOf(tensor);
    if (!shape || (shape.length !== 3 && shape.length !== 4) || shape.includes(0)) return [];
    const grid = gridOf(derivatives, tensor);
    const spatial = grid.rows > 1 && grid.columns > 1 && grid.channels > 1;
    return spatial ? [{ layer, grid }] : [];
  });
}

/**
 * The last layer with a spatial grid before the target. Maps of the classes themselves (as many channels as classes, pooled right into the scores) are passed by: behind them every
 * class-activation map is the class's own channel. In Transformers it is the first norm of the last block, as pytorch-grad-cam's guide
 * advises: behind the last attention only the class token leads to the scores. Null where no layer has a grid.
 */
export function suggestedLayer(
  layers: readonly LayerInfo[],
  derivatives: Derivatives,
  target: Target,
): SuggestedLayer | null {
  const candidates = gridLayers(layers, derivatives, target.tensor);
  const last = candidates.at(-1);
  if (!last) return null;
  const norm = lastBlockNorm(candidates, derivatives);
  if (norm)
    return {
      ...norm,
      reason:
        'The first norm of the last block: behind its attention only the class token leads to the scores.',
    };
  const classes = target.classes?.classes ?? null;
  const features = candidates.findLast(({ grid }) => grid.channels !== classes);
  const isClassMap = features !== undefined && last.grid.channels === classes;
  const chosen = isClassMap ? features : last;
  return {
    ...chosen,
    reason: isClassMap
      ? `The last layer with a spatial grid (${chosen.grid.rows}×${chosen.grid.columns}) before the maps of the classes themselves.`
      : `The last layer with a spatial grid (${chosen.grid.rows}×${chosen.grid.columns}).`,
  };
}

/** Tokens with a class token in front: what the last attention projects its queries from. */
function lastBlockNorm(
  candidates: readonly GridLayer[],
  derivatives: Derivatives,
): GridLayer | null {
  const tokens = candidates.filter(({ grid }) => grid.view.layout === 'tokens');
  const prefixed = tokens.some(({ grid }) => grid.view.prefixTokens > 0);
  if (!prefixed || tokens.at(-1) !== candidates.at(-1)) return null;
  const { graph } = derivatives.model;
  const softmax = graph.nodes.findLast(
    node => node.op === 'Softmax' && isAttention(derivatives.shapeOf(node.outputs[0] ?? '')),
  );
  const found =
    softmax && projected(graph, softmax, new Set(tokens.map(({ grid }) => grid.tensor)));
  return tokens.find(({ grid }) => grid.tensor === found) ?? null;
}

const isAttention = (shape: readonly number[] | null): boolean =>
  shape !== null && shape.length >= 3 && classCount(shape) === null;

/** The nearest token tensor in front of a node that a product with a constant weight takes. */
function projected(graph: Graph, from: Node, tokens: ReadonlySet<string>): string | null {
  const producers = producersOf(graph);
  const queue: Node[] = [from];
  const seen = new Set(queue);
  for (const node of queue) {
    const [first = '', second = ''] = node.inputs;
    const isProjection =
      (node.op === 'MatMul' || node.op === 'Gemm') && isConstant(graph, producers, second);
    const source = isProjection ? withoutReshapes(producers, first, tokens) : null;
    if (source !== null) return source;
    for (const name of node.inputs) {
      const producer = producers.get(name);
      if (!producer || seen.has(producer)) continue;
      seen.add(producer);
      queue.push(producer);
    }
  }
  return null;
}

function withoutReshapes(
  producers: ReadonlyMap<string, Node>,
  name: string,
  tokens: ReadonlySet<string>,
): string | null {
  let current = name;
  for (let node = producers.get(current); ; node = producers.get(current)) {
    if (tokens.has(current)) return current;
    if (!node || !['Reshape', 'Flatten', 'Transpose', 'Identity'].includes(node.op)) return null;
    current = node.inputs[0] ?? '';
  }
}

function isConstant(graph: Graph, producers: ReadonlyMap<string, Node>, name: string): boolean {
  if (graph.initializers.has(name)) return true;
  const node = producers.get(name);
  return node !== undefined && node.inputs.every(input => isConstant(graph, producers, input));
}
