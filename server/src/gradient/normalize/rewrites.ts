import { biasAdd, biasGelu, biasSplitGelu } from './biasActivations';
import { decoderMaskedAttention } from './decoderMaskedAttention';
import { channelsLastConv, fusedConv } from './fusedConvolution';
import { fusedGemm, fusedMatMul } from './fusedMatrix';
import { groupNorm, skipGroupNorm } from './groupNorm';
import { groupQueryAttention } from './groupQueryAttention';
import {
  dynamicQuantizeMatMul,
  integerProducts,
  matMulIntegerToFloat,
  quantizedAttention,
} from './integerProducts';
import {
  embedLayerNormalization,
  skipLayerNormalization,
  skipSimplifiedLayerNormalization,
} from './layerNormalization';
import { multiHeadAttention } from './multiHeadAttention';
import { packedAttention } from './packedAttention';
import { matMulNBits } from './packedWeights';
import * as quantized from './quantizedLayers';
import type { Rewrite } from './rewrite';
import { microsoftRotaryEmbedding, rotaryEmbedding } from './rotaryEmbedding';
import { standardAttention } from './standardAttention';

/** Operators that ONNX Runtime fused. */
export const fusedRewrites: readonly Rewrite[] = [
  biasAdd,
  biasGelu,
  biasSplitGelu,
  channelsLastConv,
  decoderMaskedAttention,
  embedLayerNormalization,
  fusedConv,
  fusedGemm,
  fusedMatMul,
  groupNorm,
  groupQueryAttention,
  microsoftRotaryEmbedding,
  multiHeadAttention,
  packedAttention,
  rotaryEmbedding,
  skipGroupNorm,
  skipLayerNormalization,
  skipSimplifiedLayerNormalization,
  standardAttention,
];

/** Operators on quantised tensors. */
export const quantizedRewrites = (): readonly Rewrite[] => [
  ...Object.values(quantized),
  ...integerProducts(),
  dynamicQuantizeMatMul,
  matMulIntegerToFloat,
  matMulNBits,
  quantizedAttention,
];
