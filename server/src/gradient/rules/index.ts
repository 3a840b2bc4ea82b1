import type { Node } from '../../onnx/graph';
import { qualifiedOp } from '../../onnx/layerKinds';
import type { Rule } from '../rule';
import { affineGrid } from './affineGrid';
import { add, div, mul, sub } from './arithmetic';
import { averagePool, lpPool } from './averagePool';
import { batchNormalization } from './batchNormalization';
import { centerCropPad } from './centerCropPad';
import { col2Im } from './col2Im';
import { compress } from './compress';
import { concat } from './concat';
import { constants } from './constants';
import { conv, convTranspose } from './conv';
import { cumProd } from './cumProd';
import { cumSum } from './cumSum';
import { deformConv } from './deformConv';
import { depthToSpace, spaceToDepth } from './depthToSpace';
import { det } from './det';
import { einsum } from './einsum';
import { extremes } from './extremes';
import { dft, stft } from './fourier';
import { fastGelu, gates } from './gates';
import { arrayFeatureExtractor, gather, gatherElements } from './gather';
import { gatherNd } from './gatherNd';
import { gemm } from './gemm';
import { globalAveragePool, globalLpPool, globalMaxPool } from './globalPooling';
import { gridSample } from './gridSample';
import { cast, castLike, dropout, identity } from './identity';
import { localResponse } from './localResponse';
import { negativeLogLikelihoodLoss, softmaxCrossEntropyLoss } from './losses';
import { fusedMatMul, matMul } from './matMul';
import { maxPool } from './maxPool';
import { maxUnpool } from './maxUnpool';
import { mod } from './mod';
import {
  groupNormalization,
  instanceNormalization,
  layerNormalization,
  meanVarianceNormalization,
  rmsNormalization,
} from './normalization';
import { lpNormalization } from './norms';
import { oneHot } from './oneHot';
import { pad } from './pad';
import { pow } from './pow';
import { dequantizeLinear, dynamicQuantizeLinear, quantizeLinear } from './quantization';
import { range } from './range';
import { clip, pRelu, rectifiers } from './rectifiers';
import { reductions } from './reductions';
import { relu } from './relu';
import { expand, tile } from './repeats';
import { reshape } from './reshape';
import { resize, upsample } from './resize';
import { reverseSequence } from './reverseSequence';
import { maxRoiPool, roiAlign } from './roiAlign';
import { scatterElements, scatterNd } from './scatter';
import { slice } from './slice';
import { logSoftmax, softmax } from './softmax';
import { split } from './split';
import { sums } from './sums';
import { tensorScatter } from './tensorScatter';
import { topK } from './topK';
import { transpose } from './transpose';
import { trilu } from './trilu';
import { unary } from './unary';
import { unique } from './unique';
import { where } from './where';

/** Every rule; an operator is in one of them only. */
export const rules: readonly Rule[] = [
  ...rectifiers,
  ...reductions,
  ...unary,
  add,
  affineGrid,
  arrayFeatureExtractor,
  averagePool,
  batchNormalization,
  cast,
  castLike,
  centerCropPad,
  clip,
  col2Im,
  compress,
  concat,
  constants,
  conv,
  convTranspose,
  cumProd,
  cumSum,
  deformConv,
  depthToSpace,
  dequantizeLinear,
  det,
  dft,
  div,
  dropout,
  dynamicQuantizeLinear,
  einsum,
  expand,
  extremes,
  fastGelu,
  fusedMatMul,
  gates,
  gather,
  gatherElements,
  gatherNd,
  gemm,
  globalAveragePool,
  globalLpPool,
  globalMaxPool,
  gridSample,
  groupNormalization,
  identity,
  instanceNormalization,
  layerNormalization,
  localResponse,
  logSoftmax,
  lpNormalization,
  lpPool,
  matMul,
  maxPool,
  maxRoiPool,
  maxUnpool,
  meanVarianceNormalization,
  mod,
  mul,
  negativeLogLikelihoodLoss,
  oneHot,
  pad,
  pow,
  pRelu,
  quantizeLinear,
  range,
  relu,
  reshape,
  resize,
  reverseSequence,
  rmsNormalization,
  roiAlign,
  scatterElements,
  scatterNd,
  slice,
  softmax,
  softmaxCrossEntropyLoss,
  spaceToDepth,
  split,
  stft,
  sub,
  sums,
  tensorScatter,
  tile,
  topK,
  transpose,
  trilu,
  unique,
  upsample,
  where,
];

const byOp: ReadonlyMap<string, Rule> = new Map(
  rules.flatMap(rule => rule.ops.map(op => [op, rule] as const)),
);

/** The rule of a node's operator; undefined where there is none. */
export const ruleFor = (node: Node): Rule | undefined => byOp.get(qualifiedOp(node));
