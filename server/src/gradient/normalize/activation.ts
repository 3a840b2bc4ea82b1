import type { EmittedAttributes } from '../emitter';
import type { Operators } from '../operators';
import type { Value } from '../value';

/** An activation that ONNX Runtime fused into another operator, with its parameters in their order; null for those that it does not fuse. */
export function activated(
  e: Operators,
  x: Value,
  activation: string,
  parameters: readonly number[],
): Value | null {
  const [first = 0, second = 0] = parameters;
  switch (activation) {
    case '':
      return x;
    case 'Relu':
    case 'Tanh':
    case 'Sigmoid':
      return e.node(activation, [x]);
    case 'LeakyRelu':
      return e.node('LeakyRelu', [x], { alpha: { float: first } });
    case 'HardSigmoid':
      return e.node('HardSigmoid', [x], { alpha: { float: first }, beta: { float: second } });
    case 'Clip':
      return clipped(e, x, first, second);
    default:
      return null;
  }
}

/** Bounds are attributes up to version 10. */
function clipped(e: Operators, x: Value, min: number, max: number): Value {
  const attributes: EmittedAttributes = { min: { float: min }, max: { float: max } };
  if (e.opset < 11) return e.node('Clip', [x], attributes);
  return e.node('Clip', [x, e.scalar(x, min), e.scalar(x, max)]);
}
