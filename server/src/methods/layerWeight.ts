import type { FiltersResult } from '../../../protocol/methods';
import { UserError } from '../../../protocol/errors';
import type { DataType, LayerInfo } from '../../../protocol/model';
import { dequantizeLinear } from '../onnx/constantOps';
import type { Constant } from '../onnx/constants';
import type { Tensor } from '../onnx/tensor';
import { convAttributes } from './convolution';
import { elementReader } from './elements';
import {
  convBank,
  gateBank,
  tableBank,
  transposedConvBank,
  type FilterBank,
  type ReadElement,
} from './filterBank';
import { constantInput, constantShape, intAttribute, layerNode, type LayerNode } from './layerNode';
import { linearWeightBank } from './linearWeight';
import type { MethodContext } from './method';

/** The weight of a layer as numbers, and how it is read as filters. */
export interface LayerWeight {
  readonly layer: LayerInfo;
  /** Name that the layer uses for it. */
  readonly name: string;
  /** How the file stores it. */
  readonly dtype: DataType;
  /** Real values; quantised weights are dequantised. */
  readonly tensor: Tensor;
  readonly read: ReadElement;
  readonly bank: FilterBank;
  readonly geometry: FiltersResult['geometry'];
  readonly notes: readonly string[];
}

/** A bank with what is to be said about it. */
export interface DescribedBank {
  readonly bank: FilterBank;
  readonly geometry: FiltersResult['geometry'];
  readonly notes: readonly string[];
}

/** Where an operator has its weight, and its scale and zero point where they are inputs of their own. */
interface WeightPlace {
  readonly weight: number;
  readonly scale?: number;
  readonly zeroPoint?: number;
}

const PLACES: Readonly<Record<string, WeightPlace>> = {
  Conv: { weight: 1 },
  FusedConv: { weight: 1 },
  ConvTranspose: { weight: 1 },
  DeformConv: { weight: 1 },
  ConvInteger: { weight: 1, zeroPoint: 3 },
  QLinearConv: { weight: 3, scale: 4, zeroPoint: 5 },
  Gemm: { weight: 1 },
  FusedGemm: { weight: 1 },
  QGemm: { weight: 3, scale: 4, zeroPoint: 5 },
  MatMul: { weight: 1 },
  FusedMatMul: { weight: 1 },
  MatMulInteger: { weight: 1, zeroPoint: 3 },
  QLinearMatMul: { weight: 3, scale: 4, zeroPoint: 5 },
  Attention: { weight: 1 },
  GRU: { weight: 1 },
  LSTM: { weight: 1 },
  RNN: { weight: 1 },
  Gather: { weight: 0 },
};
const CONVOLUTIONS = [
  'Conv',
  'FusedConv',
  'DeformConv',
  'ConvInteger',
  'QLinearConv',
  'ConvTranspose',
];
const LINEAR = [
  'Gemm',
  'FusedGemm',
  'QGemm',
  'MatMul',
  'FusedMatMul',
  'MatMulInteger',
  'QLinearMatMul',
  'Attention',
];
/** Gates of the recurrent operators in the order of their matrices (ONNX GRU, LSTM, RNN). */
const GATES: Readonly<Record<string, readonly string[]>> = {
  GRU: ['update', 'reset', 'hidden'],
  LSTM: ['input', 'output', 'forget', 'cell'],
  RNN: ['input'],
};

/**
 * Reads the weight of a layer. Only this tensor is read, not the model's other weights.
 * @throws UserError `noWeights` for layers without one, or whose weight another part of the model computes.
 */
export function layerWeight(context: MethodContext, layer: LayerInfo): LayerWeight {
  const found = layerNode(context, layer);
  const { weight, input } = findWeight(context, found, layer);
  const place = PLACES[found.node.op];
  const quantised =
    place && input === place.weight ? dequantized(context, found, place, weight) : null;
  const tensor = quantised ?? weight.tensor;
  const described = describeBank(context, found, layer, tensor, input);
  return {
    layer,
    name: weight.name,
    dtype: weight.storedDtype,
    tensor,
    read: elementReader(tensor, weight.name),
    ...described,
    notes: [
      ...weight.notes,
      ...(quantised
        ? [`Dequantised from ${weight.dtype} with the scale and zero point of the layer.`]
        : []),
      ...described.notes,
    ],
  };
}

/**
 * The constant that is the layer's weight and which input it is: the operator's own place, for MatMul else the other operand; for other
 * operators the largest constant among their inputs.
 */
function findWeight(
  context: MethodContext,
  found: LayerNode,
  layer: LayerInfo,
): { weight: Constant; input: number } {
  const { node } = found;
  const place = PLACES[node.op];
  const candidates = place
    ? [place.weight, ...(node.op === 'MatMul' ? [0] : [])]
    : layer.parameters.length > 0
      ? largestConstant(context, found)
      : [];
  for (const input of candidates) {
    const weight = constantInput(context, found, input);
    if (weight && size(weight.shape) > 0) return { weight, input };
  }
  throw new UserError(
    'noWeights',
    place
      ? `The layer "${layer.id}" (${layer.op}) has no stored weights: other layers compute them; look at its feature maps.`
      : `The layer "${layer.id}" (${layer.op}) has no weights; look at its feature maps.`,
  );
}

/** The input of most elements among those that are constant; nothing where none is. */
function largestConstant(context: MethodContext, found: LayerNode): readonly number[] {
  return found.node.inputs
    .map((_, input) => ({ input, shape: constantShape(context, found, input) }))
    .filter(({ shape }) => shape !== null)
    .sort((a, b) => size(b.shape ?? []) - size(a.shape ?? []))
    .slice(0, 1)
    .map(({ input }) => input);
}

const size = (shape: readonly number[]): number =>
  shape.reduce((product, length) => product * length, 1);

/** Weights of integer operators as real numbers; null where the weight is no quantised one. ConvInteger and MatMulInteger have no scale here. */
function dequantized(
  context: MethodContext,
  found: LayerNode,
  place: WeightPlace,
  weight: Constant,
): Tensor | null {
  if (place.zeroPoint === undefined) return null;
  const one: Tensor = { dtype: 'float32', shape: [], data: Float32Array.of(1) };
  const scale =
    place.scale === undefined ? one : constantInput(context, found, place.scale)?.tensor;
  if (!scale) return null;
  const unitsFirst =
    CONVOLUTIONS.includes(found.node.op) || intAttribute(found.node, 'transB', 0) === 1;
  const zeroPoint = constantInput(context, found, place.zeroPoint)?.tensor ?? null;
  const axis = unitsFirst ? 0 : weight.shape.length - 1;
  return dequantizeLinear(weight.tensor, { scale, zeroPoint, axis, blockSize: 0 });
}

function describeBank(
  context: MethodContext,
  found: LayerNode,
  layer: LayerInfo,
  tensor: Tensor,
  input: number,
): DescribedBank {
  const { node } = found;
  const { shape } = tensor;
  if (CONVOLUTIONS.includes(node.op) && shape.length >= 3) return convolutionBank(found, shape);
  if (LINEAR.includes(node.op) && shape.length === 2)
    return linearWeightBank(context, found, shape, input);
  const gates = GATES[node.op];
  if (gates && shape.length === 3) return recurrentBank(shape, gates);
  const what =
    node.op === 'Gather'
      ? 'Embedding table: one row for each index.'
      : `The ${roleOf(layer, node.inputs[input] ?? '')} as stored.`;
  return { bank: tableBank(shape), geometry: null, notes: [what] };
}

const roleOf = (layer: LayerInfo, name: string): string =>
  layer.parameters.find(parameter => parameter.name === name)?.role ?? 'weight';

function convolutionBank({ node }: LayerNode, shape: readonly number[]): DescribedBank {
  const kernel = shape.slice(2);
  const attributes = convAttributes(node.attributes, kernel.length);
  const transposed = node.op === 'ConvTranspose';
  const notes: string[] = [];
  if (attributes.autoPad !== 'NOTSET')
    notes.push(`Padding is chosen by auto_pad = ${attributes.autoPad}.`);
  if (kernel.length === 3)
    notes.push(`The ${kernel[0] ?? 1} depth slices of each kernel stand side by side.`);
  if (transposed) notes.push('Transposed convolution: one tile for each output channel.');
  if (node.op === 'ConvInteger')
    notes.push('The scale of these integer weights is applied in a later layer.');
  return {
    bank: transposed ? transposedConvBank(shape, attributes.groups) : convBank(shape),
    geometry: {
      kernel,
      strides: attributes.strides,
      pads: attributes.pads,
      dilations: attributes.dilations,
      groups: attributes.groups,
      transposed,
    },
    notes,
  };
}

function recurrentBank(shape: readonly number[], gates: readonly string[]): DescribedBank {
  const directions = shape[0] ?? 1;
  return {
    bank: gateBank(shape, gates.length),
    geometry: null,
    notes: [
      `Input weights of the gates ${gates.join(', ')}, hidden units as rows and inputs as columns${directions > 1 ? '; forward direction first' : ''}.`,
    ],
  };
}
