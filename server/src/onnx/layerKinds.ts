import type { LayerKind } from '../../../protocol/model';
import type { Node } from './graph';

const names = (text: string): ReadonlySet<string> => new Set(text.split(' '));

/** Operators by kind; a name means the same in every domain. Whether a MatMul is a layer with weights is decided by its operands. */
const KINDS: readonly (readonly [LayerKind, ReadonlySet<string>])[] = [
  [
    'conv',
    names(
      'Conv ConvTranspose ConvInteger QLinearConv QLinearConvTranspose FusedConv DeformConv NhwcConv NhwcFusedConv ' +
        'ConvTransposeWithDynamicPads CausalConvWithState',
    ),
  ],
  [
    'linear',
    names(
      'Gemm QGemm FusedGemm GemmFloat8 GemmFastGelu MatMulNBits MatMulBnb4 MatMulFpQ4 LinearClassifier LinearRegressor',
    ),
  ],
  [
    'norm',
    names(
      'BatchNormalization InstanceNormalization LayerNormalization GroupNormalization RMSNormalization LRN LpNormalization ' +
        'MeanVarianceNormalization SimplifiedLayerNormalization SkipLayerNormalization SkipSimplifiedLayerNormalization ' +
        'EmbedLayerNormalization GroupNorm SkipGroupNorm',
    ),
  ],
  [
    'activation',
    names(
      'Relu LeakyRelu PRelu Elu Selu Celu Sigmoid HardSigmoid HardSwish Swish Mish Tanh Softmax LogSoftmax Hardmax Softplus Softsign ' +
        'ThresholdedRelu Shrink Gelu FastGelu QuickGelu BiasGelu BiasSplitGelu Clip Erf QLinearSigmoid QLinearLeakyRelu QLinearSoftmax',
    ),
  ],
  [
    'pool',
    names(
      'MaxPool AveragePool LpPool GlobalMaxPool GlobalAveragePool GlobalLpPool MaxUnpool MaxRoiPool RoiAlign NhwcMaxPool ' +
        'QLinearAveragePool QLinearGlobalAveragePool MaxpoolWithMask',
    ),
  ],
  [
    'attention',
    names(
      'Attention MultiHeadAttention QAttention GroupQueryAttention DecoderAttention DecoderMaskedMultiHeadAttention ' +
        'DecoderMaskedSelfAttention PackedAttention PackedMultiHeadAttention LongformerAttention SparseAttention QOrderedAttention',
    ),
  ],
  ['recurrent', names('LSTM GRU RNN DynamicQuantizeLSTM AttnLSTM')],
];

const MATRIX_PRODUCTS = names(
  'MatMul MatMulInteger QLinearMatMul FusedMatMul FusedMatMulActivation DynamicQuantizeMatMul MatMulIntegerToFloat',
);

/** True for products that are a linear layer where one operand is a weight. */
export const isMatrixProduct = (node: Node): boolean => MATRIX_PRODUCTS.has(node.op);

/** The kind of a layer; `weighted`: one of its operands is a constant weight. */
export function kindOf(node: Node, weighted: boolean): LayerKind {
  if (isMatrixProduct(node)) return weighted ? 'linear' : 'other';
  return KINDS.find(([, operators]) => operators.has(node.op))?.[0] ?? 'other';
}

/** Operator with its domain in front where it is not the ONNX one. */
export const qualifiedOp = (node: Node): string =>
  node.domain === '' ? node.op : `${node.domain}.${node.op}`;
