import {
  groupQueryAttention,
  multiHeadAttention,
  packedAttention,
  standardAttention,
} from './rules/attention';
import { classifier, floatOfSameShape } from './rules/classical';
import { conditional, loop, scan } from './rules/controlFlow';
import * as convolution from './rules/convolution';
import * as elementwise from './rules/elementwise';
import * as generators from './rules/generators';
import * as matrix from './rules/matrix';
import * as normalization from './rules/normalization';
import * as pieces from './rules/pieces';
import * as pooling from './rules/pooling';
import * as quantization from './rules/quantization';
import { argument, quantizedReduction, reduction } from './rules/reduction';
import { gru, lstm } from './rules/recurrent';
import * as reshape from './rules/reshape';
import { resize, upsample } from './rules/resize';
import type { Rule } from './rule';

/** One rule for several operators, their names separated by spaces. */
const family = (names: string, rule: Rule): readonly (readonly [string, Rule])[] =>
  names.split(' ').map(name => [name, rule] as const);

/** Operators of ai.onnx, versions 7 to 25, by family. */
const STANDARD: ReadonlyMap<string, Rule> = new Map([
  ...family(
    'Abs Acos Acosh Asin Asinh Atan Atanh BitwiseNot Ceil Celu Clip Cos Cosh CumSum Elu Erf Exp Floor Gelu ' +
      'GroupNormalization HardSigmoid HardSwish Hardmax Identity InstanceNormalization LRN LeakyRelu Log LogSoftmax ' +
      'LpNormalization MeanVarianceNormalization Mish Neg Not PRelu Reciprocal Relu ReverseSequence RotaryEmbedding Round Scatter ' +
      'ScatterElements ScatterND Selu Shrink Sigmoid Sign Sin Sinh Softmax Softplus Softsign Sqrt Swish Tan Tanh TensorScatter ' +
      'ThresholdedRelu Trilu',
    elementwise.sameAsFirst,
  ),
  ...family(
    'Add BitwiseAnd BitwiseOr BitwiseXor BitShift Div Max Mean Min Mod Mul Sub Sum',
    elementwise.broadcasting,
  ),
  ...family('And Equal Greater GreaterOrEqual Less LessOrEqual Or Xor', elementwise.comparison),
  ...family('IsInf IsNaN', elementwise.sameShapeAs('bool')),
  ...family('Cast', elementwise.typedByAttribute('to')),
  ...family(
    'Bernoulli EyeLike RandomNormalLike RandomUniformLike',
    elementwise.typedByAttribute('dtype'),
  ),
  ['CastLike', elementwise.castLike],
  ['Dropout', elementwise.dropout],
  ['Pow', elementwise.power],
  ['Where', elementwise.where],
  ['Conv', convolution.convolution],
  ['ConvInteger', convolution.convInteger],
  ['ConvTranspose', convolution.transposedConvolution],
  ['DeformConv', convolution.convolution],
  ['Col2Im', convolution.columnsToImage],
  ['QLinearConv', convolution.quantizedConvolution],
  ...family('AveragePool LpPool MaxPool', pooling.pooling),
  ...family('GlobalAveragePool GlobalLpPool GlobalMaxPool', pooling.globalPooling),
  ['MaxUnpool', pooling.maxUnpooling],
  ['MaxRoiPool', pooling.regionPooling],
  ['RoiAlign', pooling.regionAlign],
  ['GridSample', pooling.gridSample],
  ['AffineGrid', pooling.affineGrid],
  ['MatMul', matrix.matrixMultiplication],
  ['MatMulInteger', matrix.matrixMultiplicationInteger],
  ['QLinearMatMul', matrix.quantizedMatrixMultiplication],
  ['Gemm', matrix.gemm],
  ['Einsum', matrix.einsum],
  ['Det', matrix.determinant],
  ['Reshape', reshape.reshape],
  ['Flatten', reshape.flatten],
  ['Squeeze', reshape.squeeze],
  ['Unsqueeze', reshape.unsqueeze],
  ['Transpose', reshape.transpose],
  ['Expand', reshape.expand],
  ['Tile', reshape.tile],
  ['DepthToSpace', reshape.depthToSpace],
  ['SpaceToDepth', reshape.spaceToDepth],
  ['Shape', reshape.shapeOf],
  ['Size', reshape.sizeOf],
  ['Compress', reshape.compress],
  ['Concat', pieces.concat],
  ['Split', pieces.split],
  ['Slice', pieces.slice],
  ['Gather', pieces.gather],
  ['GatherElements', pieces.gatherElements],
  ['GatherND', pieces.gatherNd],
  ['Pad', pieces.pad],
  ['CenterCropPad', pieces.centerCropPad],
  ['TopK', pieces.topK],
  ['OneHot', pieces.oneHot],
  ['NonZero', pieces.nonZero],
  ['Unique', pieces.unique],
  ...family(
    'ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum ReduceSumSquare',
    reduction,
  ),
  ...family('ArgMax ArgMin', argument),
  ['BatchNormalization', normalization.batchNormalization],
  ...family(
    'LayerNormalization RMSNormalization SimplifiedLayerNormalization',
    normalization.layerNormalization,
  ),
  ['Resize', resize],
  ['Upsample', upsample],
  ['QuantizeLinear', quantization.quantizeLinear],
  ['DequantizeLinear', quantization.dequantizeLinear],
  ['DynamicQuantizeLinear', quantization.dynamicQuantizeLinear],
  ['Attention', standardAttention],
  ['LSTM', lstm],
  ...family('GRU RNN', gru),
  ['If', conditional],
  ['Loop', loop],
  ['Scan', scan],
  ['Constant', generators.constant],
  ['ConstantOfShape', generators.constantOfShape],
  ['Range', generators.range],
  ...family('RandomNormal RandomUniform', generators.random),
  ['Multinomial', generators.multinomial],
  ...family('BlackmanWindow HammingWindow HannWindow', generators.windowFunction),
  ['ImageDecoder', generators.imageDecoder],
  ['NonMaxSuppression', generators.nonMaxSuppression],
  ...family(
    'SequenceConstruct SequenceEmpty SequenceErase SequenceInsert SequenceMap SplitToSequence',
    generators.contained('sequence'),
  ),
  ...family('Optional', generators.contained('optional')),
]);

const MICROSOFT: ReadonlyMap<string, Rule> = new Map([
  ...family(
    'BiasAdd BiasGelu FastGelu Gelu GroupNorm Inverse QLinearLeakyRelu QLinearSigmoid QLinearSoftmax QuickGelu RotaryEmbedding',
    elementwise.sameAsFirst,
  ),
  ['BiasSplitGelu', elementwise.halvedLastAxis],
  ['LayerNormalization', normalization.layerNormalization],
  ...family(
    'SkipLayerNormalization SkipSimplifiedLayerNormalization',
    normalization.skipLayerNormalization,
  ),
  ['SkipGroupNorm', normalization.skipGroupNormalization],
  ['EmbedLayerNormalization', normalization.embedLayerNormalization],
  ...family('Attention QAttention', packedAttention),
  ['MultiHeadAttention', multiHeadAttention],
  ['GroupQueryAttention', groupQueryAttention],
  ['FusedConv', convolution.convolution],
  ['QLinearConv', convolution.quantizedConvolution],
  ['NhwcMaxPool', pooling.channelsLastPooling],
  ['QLinearAveragePool', pooling.quantizedPooling],
  ['QLinearGlobalAveragePool', pooling.quantizedGlobalPooling],
  ...family('QLinearAdd QLinearMul', quantization.quantizedBroadcasting),
  ['QLinearWhere', quantization.quantizedWhere],
  ['QLinearConcat', pieces.quantizedConcat],
  ['QLinearReduceMean', quantizedReduction],
  ['QGemm', matrix.quantizedGemm],
  ['FusedGemm', matrix.gemm],
  ['FusedMatMul', matrix.fusedMatrixMultiplication],
  ...family('DynamicQuantizeMatMul MatMulIntegerToFloat', matrix.floatMatrixMultiplication),
  ['MatMulNBits', matrix.packedMatrixMultiplication],
  ['QuantizeLinear', quantization.quantizeLinear],
  ['DequantizeLinear', quantization.dequantizeLinear],
]);

const CLASSICAL: ReadonlyMap<string, Rule> = new Map([
  ...family('LinearClassifier SVMClassifier TreeEnsembleClassifier', classifier),
  ...family('Normalizer Scaler', floatOfSameShape),
  ['ZipMap', generators.contained('sequence')],
]);

const DOMAINS: ReadonlyMap<string, ReadonlyMap<string, Rule>> = new Map([
  ['', STANDARD],
  ['com.microsoft', MICROSOFT],
  ['ai.onnx.ml', CLASSICAL],
]);

/** The shape rule of an operator; undefined for operators that are not known. */
export const ruleOf = (domain: string, op: string): Rule | undefined =>
  DOMAINS.get(domain)?.get(op);
