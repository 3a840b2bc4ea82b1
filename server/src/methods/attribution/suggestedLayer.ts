import type { LayerInfo } from '../../../../protocol/model';
import { producersOf } from '../../onnx/constantPlan';
import type { Graph, Node } from '../../onnx/graph';
import { activePath } from '../../gradient/activePath';
import { NoGradientError } from '../../gradient/errors';
import { toFloat32 } from '../../onnx/numbers';
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

/** What is found once for the facts of a prepared model, by target. */
type ByTarget<T> = WeakMap<InferredValues, Map<string, T>>;

const withGrid: ByTarget<readonly GridLayer[]> = new WeakMap();
const suggestions: ByTarget<readonly SuggestedLayer[]> = new WeakMap();

function once<T>(kept: ByTarget<T>, { facts }: Derivatives, target: string, find: () => T): T {
  const byTarget = kept.get(facts) ?? new Map<string, T>();
  kept.set(facts, byTarget);
  const known = byTarget.get(target) ?? find();
  byTarget.set(target, known);
  return known;
}

/** The layers of the main graph whose output has a grid of more than one place and leads to the target, in the order of the graph. */
export function gridLayers(
  layers: readonly LayerInfo[],
  derivatives: Derivatives,
  target: string,
): readonly GridLayer[] {
  return once(withGrid, derivatives, target, () => gridLayersOf(layers, derivatives, target));
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
 * The last layers with a spatial grid that still have weights between them and the target: behind the last weights a layer is the maps of the classes
 * themselves, and every class-activation map the class's own channel. One, or the last of each head where several lead to the target. In Transformers
 * with a class token it is what the last attention is computed from, as pytorch-grad-cam's guide advises: behind it only the class token leads to
 * the scores. Empty where no layer has a grid.
 */
export function suggestedLayers(
  layers: readonly LayerInfo[],
  derivatives: Derivatives,
  target: Target,
): readonly SuggestedLayer[] {
  return once(suggestions, derivatives, target.tensor, () =>
    suggestedLayersOf(layers, derivatives, target),
  );
}

function suggestedLayersOf(
  layers: readonly LayerInfo[],
  derivatives: Derivatives,
  target: Target,
): readonly SuggestedLayer[] {
  const candidates = gridLayers(layers, derivatives, target.tensor);
  const norm = lastBlockNorm(candidates, derivatives);
  if (norm)
    return [
      {
        ...norm,
        reason:
          'What the last attention is computed from: behind it only the class token leads to the target.',
      },
    ];
  const last = lastFeatures(candidates, derivatives, target.tensor);
  const chosen = last.length > 0 ? last : candidates.slice(-1);
  return chosen.map(each => ({ ...each, reason: reasonOf(each, last.length) }));
}

function reasonOf({ grid }: GridLayer, heads: number): string {
  const size = `${grid.rows}×${grid.columns}`;
  if (heads === 0) return `The last layer with a spatial grid (${size}).`;
  const where = heads > 1 ? ' of the head that the target comes from' : '';
  return `The last layer with a spatial grid (${size}) before the last weights${where}.`;
}

/**
 * The layer that is suggested; of several heads the one with the largest mean gradient. Null where no layer has a grid.
 * @throws what `Derivatives.gradients` throws, but not for nodes without a derivative: then the last head is taken.
 */
export async function suggestedLayer(
  layers: readonly LayerInfo[],
  derivatives: Derivatives,
  target: Target,
): Promise<SuggestedLayer | null> {
  const candidates = suggestedLayers(layers, derivatives, target);
  const last = candidates.at(-1) ?? null;
  if (candidates.length < 2) return last;
  try {
    const run = await derivatives.gradients(
      {
        target: target.tensor,
        withRespectTo: candidates.map(({ grid }) => grid.tensor),
        mode: 'gradient',
        top: target.seed.kind === 'top',
      },
      target.seed,
      new Map(),
      true,
    );
    const strength = ({ grid }: GridLayer): number => {
      const gradient = run.gradients.get(grid.tensor);
      if (!gradient) return 0;
      return toFloat32(gradient).reduce((sum, value) => sum + Math.abs(value), 0);
    };
    return candidates.reduce((best, each) => (strength(each) > strength(best) ? each : best));
  } catch (error) {
    if (error instanceof NoGradientError) return last;
    throw error;
  }
}

/** Of the candidates with weights between them and the target those that lead to no other. */
function lastFeatures(
  candidates: readonly GridLayer[],
  derivatives: Derivatives,
  target: string,
): readonly GridLayer[] {
  const { graph } = derivatives.model;
  const producers = producersOf(graph);
  const { nodes } = activePath(
    graph,
    derivatives.facts,
    graph.inputs.map(({ name }) => name),
    target,
  );
  const byTensor = new Map(candidates.map(each => [each.grid.tensor, each]));
  /** Tensors with weights behind them, and tensors that lead to such a candidate. */
  const weighted = new Set<string>();
  const passed = new Set<string>();
  const last: GridLayer[] = [];
  for (const node of nodes.toReversed()) {
    for (const name of node.outputs) {
      const candidate = byTensor.get(name);
      if (!candidate || !weighted.has(name) || passed.has(name)) continue;
      last.push(candidate);
      passed.add(name);
    }
    const leads = node.outputs.some(name => passed.has(name));
    const weighs =
      node.outputs.some(name => weighted.has(name)) || isWeighted(graph, producers, node);
    for (const name of node.inputs) {
      if (weighs) weighted.add(name);
      if (leads) passed.add(name);
    }
  }
  return last.reverse();
}

/** A convolution or product with a constant weight. */
const isWeighted = (graph: Graph, producers: ReadonlyMap<string, Node>, node: Node): boolean =>
  WEIGHTED.has(node.op) && node.inputs.slice(0, 2).some(name => isConstant(graph, producers, name));

const WEIGHTED: ReadonlySet<string> = new Set([
  'Conv',
  'ConvTranspose',
  'Gemm',
  'MatMul',
  'Einsum',
]);

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
