import type { DataType, LayerParameter, ValueInfo } from '../../../protocol/model';
import { isSizeInput } from './dataPath';
import type { Graph, Model, Node } from './graph';
import { describeConstant } from './constants';
import { isMatrixProduct } from './layerKinds';

/** Roles of inputs by position; `-` for inputs that are data or quantisation constants. */
const ROLES: ReadonlyMap<string, readonly string[]> = new Map(
  [
    [
      'Conv FusedConv ConvTranspose NhwcFusedConv ConvTransposeWithDynamicPads Gemm FusedGemm',
      '- weight bias',
    ],
    ['DeformConv', '- weight - bias'],
    ['ConvInteger', '- weight'],
    ['QLinearConv QLinearConvTranspose', '- - - weight - - - - bias'],
    ['QGemm', '- - - weight - - bias'],
    ['DynamicQuantizeMatMul', '- weight - - bias'],
    ['MatMulIntegerToFloat', '- weight - - - - bias'],
    ['MatMulNBits', '- weight scale - - bias'],
    ['BatchNormalization', '- scale bias mean variance'],
    ['InstanceNormalization LayerNormalization GroupNormalization', '- scale bias'],
    ['RMSNormalization SimplifiedLayerNormalization', '- scale'],
    ['SkipLayerNormalization', '- - gamma beta bias'],
    ['SkipSimplifiedLayerNormalization', '- - gamma bias'],
    ['GroupNorm SkipGroupNorm', '- gamma beta - bias'],
    [
      'EmbedLayerNormalization',
      '- - word_embedding position_embedding segment_embedding gamma beta',
    ],
    ['Attention QAttention', '- weight bias'],
    ['MultiHeadAttention DecoderMaskedMultiHeadAttention', '- - - bias'],
    ['LSTM', '- weight recurrence bias - initial_h initial_c peephole'],
    ['GRU RNN', '- weight recurrence bias - initial_h'],
    ['PRelu', '- slope'],
    ['BiasGelu FastGelu BiasSplitGelu BiasAdd', '- bias'],
  ].flatMap(([operators = '', roles = '']) =>
    operators.split(' ').map(operator => [operator, roles.split(' ')] as const),
  ),
);

const QUANTIZED_PRODUCTS: ReadonlySet<string> = new Set([
  'QLinearMatMul',
  'QLinearAdd',
  'QLinearMul',
]);
const OPERAND_ROLES: ReadonlyMap<string, string> = new Map([
  ['Add', 'bias'],
  ['Sub', 'bias'],
  ['Sum', 'bias'],
  ['QLinearAdd', 'bias'],
  ['Mul', 'scale'],
  ['Div', 'scale'],
  ['QLinearMul', 'scale'],
]);

/** What the constant at an input is to the operator; null where it is none of its parameters. */
function roleOf(node: Node, index: number): string | null {
  if (isSizeInput(node, index)) return null;
  // ai.onnx.Attention (query, key, value, mask, past) has no weights of its own
  if (node.op === 'Attention' && node.domain === '') return null;
  const roles = ROLES.get(node.op);
  if (roles !== undefined) return roles[index] === '-' ? null : (roles[index] ?? null);
  if (QUANTIZED_PRODUCTS.has(node.op) && index !== 0 && index !== 3) return null;
  if (isMatrixProduct(node)) return index < 2 || node.op === 'QLinearMatMul' ? 'weight' : null;
  if (node.op === 'Gather') return index === 0 ? 'weight' : null;
  if (QUANTIZERS.has(node.op) || node.op === 'Clip') return null;
  return OPERAND_ROLES.get(node.op) ?? 'constant';
}

const QUANTIZERS: ReadonlySet<string> = new Set([
  'QuantizeLinear',
  'DequantizeLinear',
  'DynamicQuantizeLinear',
]);

const count = (shape: readonly number[]): number =>
  shape.reduce((product, length) => product * length, 1);

function sizesOf(info: ValueInfo | undefined): readonly number[] | null {
  const sizes = info?.shape?.filter(length => typeof length === 'number');
  return sizes !== undefined && sizes.length === info?.shape?.length ? sizes : null;
}

/** Weights have numbers that can be learned: no integers (positions, token ids) where nothing names their role. */
const isLearned = (dtype: DataType): boolean => dtype.startsWith('float') || dtype === 'bfloat16';

/**
 * The parameters of a node: constants at inputs that the operator calculates with. `isConstant` says which values do not depend on what
 * is fed; names and types are those that the file stores (behind Cast, DequantizeLinear …), shapes those that the operator sees. Single
 * numbers count only where the operator gives them a role of their own (a bias of one channel), not as operands.
 */
export function parametersOf(
  node: Node,
  model: Model,
  graph: Graph,
  shapes: ReadonlyMap<string, ValueInfo>,
  isConstant: (name: string) => boolean,
): readonly LayerParameter[] {
  const parameters: LayerParameter[] = [];
  for (const [index, name] of node.inputs.entries()) {
    const role = roleOf(node, index);
    if (name === '' || role === null || !isConstant(name)) continue;
    const constant = describeConstant(model, graph, name);
    // Exporters compute states of zeros: only stored ones were learned.
    if (role.startsWith('initial_') && constant === null) continue;
    const info = shapes.get(name);
    const shape = sizesOf(info) ?? constant?.shape ?? null;
    const dtype = constant?.storedDtype ?? info?.dtype ?? 'undefined';
    if (shape === null) continue;
    if (!ROLES.has(node.op) && (count(shape) <= 1 || (!isLearned(dtype) && role === 'constant')))
      continue;
    if (node.op === 'Gather' && (shape.length < 2 || dtype === 'int64')) continue;
    parameters.push({ role, name: constant?.origin ?? name, shape, dtype });
  }
  return parameters;
}

/** Elements of all parameters together. */
export const parameterCountOf = (parameters: readonly LayerParameter[]): number =>
  parameters.reduce((total, parameter) => total + count(parameter.shape), 0);
