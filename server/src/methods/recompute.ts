import type { RecomputeParams } from '../../../protocol/methods';
import { UserError } from '../../../protocol/errors';
import { dequantizeLinear } from '../onnx/constantOps';
import type { Tensor } from '../onnx/tensor';
import { convAttributes, convWindow, type ReadableTensor } from './convolution';
import { elementReader } from './elements';
import type { ReadElement } from './filterBank';
import { checkChannel, checkPosition, layerMaps, valueOf, type LayerMaps } from './layerMaps';
import { constantInput, layerNode, type LayerNode } from './layerNode';
import { elementIndex } from './mapView';
import type { Method, MethodContext } from './method';

/** Where the operands of a convolution are. Scales and zero points stand behind each of QLinearConv's. */
interface Operands {
  readonly input: number;
  readonly weight: number;
  readonly bias: number;
  readonly quantised: boolean;
}

const OPERANDS: Readonly<Record<string, Operands>> = {
  Conv: { input: 0, weight: 1, bias: 2, quantised: false },
  FusedConv: { input: 0, weight: 1, bias: 2, quantised: false },
  QLinearConv: { input: 0, weight: 3, bias: 8, quantised: true },
};
/** Scale and zero point of QLinearConv's output. */
const OUTPUT_SCALE = 6;

/**
 * What one output value of a convolution is the sum of: the window it saw, its kernel, Σ window · kernel + bias in float64, and the
 * value that the run gave. Follows ONNX Conv (strides, pads, dilations, groups, auto_pad; 1, 2 and 3 spatial axes) and QLinearConv,
 * computed here in real numbers: its output is rounded to a multiple of its scale, so that half of it is expected as difference.
 * @throws UserError `unsupported` for layers that are no convolution, `outOfRange`.
 */
export const recompute: Method<'recompute'> = {
  name: 'recompute',
  runs: true,
  async compute(params, context) {
    const maps = await layerMaps(params, context);
    const found = layerNode(context, maps.layer);
    const operands = operandsOf(params, maps, found);
    checkChannel(maps, params.channel);
    checkPosition(maps, params.row, params.column);
    const index = elementIndex(maps.view, params.channel, params.row, params.column);
    const [, channel = 0, ...position] = multiIndex(index, maps.tensor.shape);
    const input = await operand(params, context, found, operands.input, operands);
    const weight = await operand(params, context, found, operands.weight, operands);
    const spatial = weight.shape.length - 2;
    const attributes = convAttributes(found.node.attributes, spatial);
    const { window, kernel, shape, sum } = convWindow(input, weight, attributes, channel, position);
    const bias = await biasOf(params, channel, context, found, operands);
    const total = sum + bias;
    const value = outputReader(context, found, maps, operands)(index);
    return {
      window,
      kernel,
      shape,
      bias,
      sum: total,
      value,
      difference: value - total,
      inputTensor: found.node.inputs[operands.input] ?? '',
      notes: notesOf(context, found, operands, spatial),
    };
  },
};

function operandsOf(params: RecomputeParams, maps: LayerMaps, found: LayerNode): Operands {
  const operands = OPERANDS[found.node.op];
  if (!operands || maps.name !== found.node.outputs[0])
    throw new UserError(
      'unsupported',
      operands
        ? `Only the output of the convolution "${params.layer}" can be recomputed, not "${maps.name}".`
        : `A position can be recomputed for convolutions; "${params.layer}" is a ${maps.layer.op}.`,
    );
  return operands;
}

/** The index on each axis of an element, C order. */
function multiIndex(element: number, shape: readonly number[]): readonly number[] {
  const index: number[] = [];
  let rest = element;
  for (const size of [...shape].reverse()) {
    index.unshift(rest % size);
    rest = Math.floor(rest / size);
  }
  return index;
}

/** An operand as real numbers: a constant, or what the run gave for it. */
async function operand(
  params: RecomputeParams,
  context: MethodContext,
  found: LayerNode,
  index: number,
  operands: Operands,
): Promise<ReadableTensor> {
  const name = found.node.inputs[index] ?? '';
  const tensor = await tensorFor(params, context, found, index);
  const real = operands.quantised
    ? dequantized(context, found, tensor, index + 1, index === operands.weight ? 0 : 1)
    : tensor;
  return { shape: real.shape, read: elementReader(real, name) };
}

async function tensorFor(
  params: RecomputeParams,
  context: MethodContext,
  found: LayerNode,
  index: number,
): Promise<Tensor> {
  const name = found.node.inputs[index] ?? '';
  const constant = constantInput(context, found, index);
  if (constant) return constant.tensor;
  return valueOf(await context.values(params.feeds, [name], { ahead: true }), name);
}

function dequantized(
  context: MethodContext,
  found: LayerNode,
  tensor: Tensor,
  scaleIndex: number,
  axis: number,
): Tensor {
  const scale = constantInput(context, found, scaleIndex)?.tensor;
  const zeroPoint = constantInput(context, found, scaleIndex + 1)?.tensor ?? null;
  if (!scale)
    throw new UserError(
      'unsupported',
      `The scale of "${found.node.name || found.node.op}" is computed by the model and cannot be read here.`,
    );
  return dequantizeLinear(tensor, { scale, zeroPoint, axis, blockSize: 0 });
}

/** The bias of the channel; that of QLinearConv is an integer in units of input scale · weight scale. */
async function biasOf(
  params: RecomputeParams,
  channel: number,
  context: MethodContext,
  found: LayerNode,
  operands: Operands,
): Promise<number> {
  const name = found.node.inputs[operands.bias] ?? '';
  if (name === '') return 0;
  const bias = elementReader(await tensorFor(params, context, found, operands.bias), name)(channel);
  if (!operands.quantised) return bias;
  const scaleOf = (index: number): number => {
    const scale = constantInput(context, found, index)?.tensor;
    if (!scale) return NaN;
    return elementReader(
      scale,
      name,
    )(scale.shape[0] === undefined || scale.shape[0] === 1 ? 0 : channel);
  };
  return bias * scaleOf(operands.input + 1) * scaleOf(operands.weight + 1);
}

function outputReader(
  context: MethodContext,
  found: LayerNode,
  maps: LayerMaps,
  operands: Operands,
): ReadElement {
  if (!operands.quantised) return maps.read;
  return elementReader(dequantized(context, found, maps.tensor, OUTPUT_SCALE, 1), maps.name);
}

function notesOf(
  context: MethodContext,
  found: LayerNode,
  operands: Operands,
  spatial: number,
): string[] {
  const notes: string[] = [];
  if (operands.quantised) {
    const scale = constantInput(context, found, OUTPUT_SCALE)?.tensor;
    const step = scale ? elementReader(scale, 'scale')(0) : NaN;
    notes.push(
      `Quantised: the run rounds to steps of ${step.toPrecision(3)} and cuts off what its type cannot hold, so up to half a step of difference is expected.`,
    );
  }
  const activation = found.node.attributes.get('activation');
  if (activation?.kind === 'string')
    notes.push(`The run's value has passed ${activation.value}; the sum has not.`);
  if (spatial === 3) notes.push('Depth slices stand side by side.');
  return notes;
}
