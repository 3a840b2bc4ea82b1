import { producersOf } from '../onnx/constantPlan';
import type { Graph, Node } from '../onnx/graph';
import type { MapHints, TokenGrid } from './mapView';

/** Sizes that are known for a tensor, by name; null where they are not. */
export type KnownShape = (tensor: string) => readonly number[] | null;

/** Operators that give channels first by their specification. */
const CHANNELS_FIRST: ReadonlySet<string> = new Set([
  'Conv',
  'ConvTranspose',
  'ConvInteger',
  'QLinearConv',
  'DeformConv',
  'FusedConv',
  'MaxPool',
  'AveragePool',
  'LpPool',
  'GlobalAveragePool',
  'GlobalMaxPool',
  'QLinearAveragePool',
  'QLinearGlobalAveragePool',
  'BatchNormalization',
  'InstanceNormalization',
  'GroupNormalization',
  'LRN',
  'DepthToSpace',
  'SpaceToDepth',
  'MaxUnpool',
  'MaxRoiPool',
  'RoiAlign',
  'GridSample',
]);
const CHANNELS_LAST: ReadonlySet<string> = new Set(['NhwcConv', 'NhwcMaxPool', 'NhwcFusedConv']);
/** Operators whose output is laid out as their first (or first equally shaped) input. */
const KEEPS_LAYOUT: ReadonlySet<string> = new Set([
  'Relu',
  'LeakyRelu',
  'PRelu',
  'Elu',
  'Selu',
  'Celu',
  'Gelu',
  'FastGelu',
  'BiasGelu',
  'Sigmoid',
  'HardSigmoid',
  'HardSwish',
  'Swish',
  'Mish',
  'Tanh',
  'Softplus',
  'Softsign',
  'Erf',
  'Clip',
  'Abs',
  'Neg',
  'Exp',
  'Log',
  'Sqrt',
  'Pow',
  'Reciprocal',
  'Floor',
  'Round',
  'Sign',
  'Add',
  'Sub',
  'Mul',
  'Div',
  'Max',
  'Min',
  'Sum',
  'Mean',
  'Concat',
  'Split',
  'Slice',
  'Pad',
  'Resize',
  'Upsample',
  'Identity',
  'Dropout',
  'Cast',
  'QuantizeLinear',
  'DequantizeLinear',
  'QLinearAdd',
  'QLinearMul',
  'QLinearLeakyRelu',
  'QLinearSigmoid',
  'QLinearConcat',
  'Where',
  'LpNormalization',
  'MeanVarianceNormalization',
  'ThresholdedRelu',
  'Shrink',
  'Gather',
]);
/** Operators that work on a last axis of features. */
const FEATURES_LAST: ReadonlySet<string> = new Set([
  'LayerNormalization',
  'SkipLayerNormalization',
  'SimplifiedLayerNormalization',
  'RMSNormalization',
  'EmbedLayerNormalization',
  'Attention',
  'MultiHeadAttention',
]);
/** Nodes that a search backwards looks at before it gives up: graphs are wide, and a hint is only a hint. */
const MOST_NODES = 4000;

type Channels = MapHints['channels'];

/**
 * Where the channels of a tensor are, from the operators in front of it: convolutions and pooling are channels first by
 * specification, a Transpose moves them, elementwise operators keep them, graph inputs are judged by their sizes (1, 3 or 4).
 */
export function channelsOf(graph: Graph, tensor: string): Channels {
  const byOutput = producersOf(graph);
  const constants = graph.initializers;
  const visited = new Set<string>();
  const visit = (name: string): Channels => {
    if (name === '' || visited.has(name) || visited.size > MOST_NODES) return null;
    visited.add(name);
    const node = byOutput.get(name);
    if (!node) return constants.has(name) ? null : inputChannels(graph, name);
    if (CHANNELS_FIRST.has(node.op)) return 'first';
    if (CHANNELS_LAST.has(node.op)) return 'last';
    if (FEATURES_LAST.has(node.op)) return 'last';
    if (node.op === 'MatMul' || node.op === 'QLinearMatMul')
      return weightedMatMul(node, constants, byOutput);
    if (node.op === 'Transpose') return transposed(permutation(node), visit(node.inputs[0] ?? ''));
    if (node.op === 'Reshape' || node.op === 'Flatten') return null;
    if (!KEEPS_LAYOUT.has(node.op)) return null;
    for (const input of node.inputs) {
      const found = visit(input);
      if (found) return found;
    }
    return null;
  };
  return visit(tensor);
}

function inputChannels(graph: Graph, name: string): Channels {
  const shape = graph.inputs.find(input => input.name === name)?.shape;
  if (shape?.length !== 4) return null;
  const isImage = (size: unknown): boolean => size === 1 || size === 3 || size === 4;
  if (isImage(shape[1])) return 'first';
  return isImage(shape[3]) ? 'last' : null;
}

/** x · W with a constant W leaves features on the last axis; a product of two activations (attention) says nothing. */
function weightedMatMul(
  node: Node,
  constants: Graph['initializers'],
  byOutput: ReadonlyMap<string, Node>,
): Channels {
  const weight = node.inputs[node.op === 'QLinearMatMul' ? 3 : 1] ?? '';
  return constants.has(weight) || byOutput.get(weight)?.op === 'Constant' ? 'last' : null;
}

function permutation(node: Node): readonly number[] | null {
  const attribute = node.attributes.get('perm');
  return attribute?.kind === 'ints' ? attribute.value : null;
}

/** Channels after a Transpose; the usual permutations also tell where the input itself does not. */
function transposed(perm: readonly number[] | null, before: Channels): Channels {
  if (!perm) return null;
  const rank = perm.length;
  const axis = before === 'first' ? 1 : before === 'last' ? rank - 1 : null;
  if (axis !== null) {
    const after = perm.indexOf(axis);
    return after === 1 ? 'first' : after === rank - 1 ? 'last' : null;
  }
  const key = perm.join();
  if (key === '0,2,3,1') return 'last';
  return key === '0,3,1,2' ? 'first' : null;
}

/** Operators whose output is a map of the picture, one value for each position. */
const MAPS: ReadonlySet<string> = new Set([
  'Conv',
  'QLinearConv',
  'FusedConv',
  'ConvTranspose',
  'MaxPool',
  'AveragePool',
  'QLinearAveragePool',
]);

/**
 * The nearest tensors in front of `tensor` that come straight from a 2D convolution or pooling, nearest first; those whose
 * rank is known and not 4 are passed by.
 */
export function precedingMaps(graph: Graph, tensor: string, known: KnownShape): readonly string[] {
  const byOutput = producersOf(graph);
  const queue = [tensor];
  const visited = new Set(queue);
  const found: string[] = [];
  for (
    let next = queue.shift();
    next !== undefined && visited.size < MOST_NODES;
    next = queue.shift()
  ) {
    const node = byOutput.get(next);
    if (!node) continue;
    if (MAPS.has(node.op) && (known(next)?.length ?? 4) === 4) {
      found.push(next);
      continue;
    }
    for (const input of node.inputs)
      if (input !== '' && !visited.has(input)) {
        visited.add(input);
        queue.push(input);
      }
  }
  return found;
}

/** True where an input of the model can be a picture: rank 4. */
export const seesPictures = (graph: Graph): boolean =>
  graph.inputs.some(input => input.shape?.length === 4);

/**
 * What the graph tells about a tensor of rank 3 or 4.
 * `known` gives sizes of tensors, from the file or from a run.
 */
export function mapHints(graph: Graph, tensor: string, known: KnownShape): MapHints {
  const flattened = flattenedMap(graph, tensor, known);
  return {
    channels: flattened ? 'first' : channelsOf(graph, tensor),
    grid: flattened ?? precedingGrid(graph, tensor, known),
    picture: seesPictures(graph),
  };
}

/** Rows and columns where the tensor is a map [B,C,H,W] reshaped to [B,C,H·W]. */
function flattenedMap(graph: Graph, tensor: string, known: KnownShape): TokenGrid | null {
  const node = producersOf(graph).get(tensor);
  if (node?.op !== 'Reshape' && node?.op !== 'Flatten') return null;
  const before = known(node.inputs[0] ?? '');
  const after = known(tensor);
  if (before?.length !== 4 || after?.length !== 3) return null;
  const [, channels, rows = 0, columns = 0] = before;
  return after[1] === channels && after[2] === rows * columns ? { rows, columns } : null;
}

function precedingGrid(graph: Graph, tensor: string, known: KnownShape): TokenGrid | null {
  for (const name of precedingMaps(graph, tensor, known)) {
    const shape = known(name);
    if (shape?.length === 4 && (shape[2] ?? 1) * (shape[3] ?? 1) > 1)
      return { rows: shape[2] ?? 1, columns: shape[3] ?? 1 };
  }
  return null;
}
