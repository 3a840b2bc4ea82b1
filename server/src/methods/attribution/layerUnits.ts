import { producersOf } from '../../onnx/constantPlan';
import { toFloat32 } from '../../onnx/numbers';
import type { MethodContext } from '../method';
import type { Derivatives } from './derivatives';

/** How the values of a layer stand for numbers: x = (value − zero) · scale. */
export interface LayerUnits {
  readonly scale: number;
  /** The value that stands for 0. */
  readonly zero: number;
}

const PLAIN: LayerUnits = { scale: 1, zero: 0 };

/**
 * The units of a tensor: those of the QuantizeLinear that gives it, where it has one scale for the whole tensor; else values stand for
 * themselves. Maps of quantised layers are made of the numbers, not of their codes.
 */
export function unitsOf(
  { model }: Derivatives,
  { readTensor }: MethodContext,
  tensor: string,
): LayerUnits {
  const node = producersOf(model.graph).get(tensor);
  if (node?.op !== 'QuantizeLinear') return PLAIN;
  const [scale, zero] = [1, 2].map(index => {
    const ref = model.graph.initializers.get(node.inputs[index] ?? '');
    return ref ? toFloat32(readTensor(ref)) : null;
  });
  if (scale?.length !== 1) return PLAIN;
  return { scale: scale[0] ?? 1, zero: zero?.[0] ?? 0 };
}

/** The numbers that values stand for. */
export const inUnits = (values: Float32Array, { scale, zero }: LayerUnits): Float32Array =>
  scale === 1 && zero === 0 ? values : values.map(value => (value - zero) * scale);

/** Gradients with respect to the numbers from those with respect to the values. */
export const slopesInUnits = (slopes: Float32Array, { scale }: LayerUnits): Float32Array =>
  scale === 1 ? slopes : slopes.map(slope => slope / scale);
