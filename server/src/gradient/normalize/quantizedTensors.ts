import type { Operators } from '../operators';
import type { RuleNode } from '../rule';
import { countOf, type Value } from '../value';

/** Version from which DequantizeLinear takes a scale for each place of an axis. */
const PER_AXIS_SINCE = 13;

/** How numbers are stored: (q − zero point) · scale. Each has one element, or one for each place of an axis. */
export interface Quantization {
  readonly scale: Value;
  /** Of the type of q; null is 0. */
  readonly zeroPoint: Value | null;
}

/** Scale and zero point at these inputs of a node; zero points may be left out. */
export const quantizationAt = (n: RuleNode, scale: number, zeroPoint: number): Quantization => ({
  scale: n.x(scale),
  zeroPoint: n.has(zeroPoint) ? n.x(zeroPoint) : null,
});

/**
 * The float32 numbers that q stands for. As DequantizeLinear where the opset has it for this form, so that ONNX Runtime finds the integer
 * operator again; else as arithmetic. `axis` is that of scales with more than one element; scales with several axes broadcast as they are.
 */
export function dequantized(
  e: Operators,
  q: Value,
  { scale, zeroPoint }: Quantization,
  axis = 0,
): Value {
  const single = countOf(scale) === 1 && (zeroPoint === null || countOf(zeroPoint) === 1);
  if (single) return e.node('DequantizeLinear', [q, scale, zeroPoint]);
  const alike = zeroPoint === null || countOf(zeroPoint) === countOf(scale);
  if (alike && scale.shape.length === 1 && e.opset >= PER_AXIS_SINCE)
    return e.node('DequantizeLinear', [q, scale, zeroPoint], { axis });
  const along = (each: Value): Value =>
    each.shape.length > 1
      ? each
      : e.reshape(
          each,
          q.shape.map((_, i) => (i === axis ? countOf(each) : 1)),
        );
  const numbers = e.cast(q, 'float32');
  const centred = zeroPoint ? e.sub(numbers, along(e.cast(zeroPoint, 'float32'))) : numbers;
  return e.mul(centred, along(scale));
}

/** The integers, of the type of `like`, that stand for float32 numbers. */
export function quantized(
  e: Operators,
  x: Value,
  { scale, zeroPoint }: Quantization,
  like: Value,
): Value {
  const zero = zeroPoint ?? e.cast(e.floats('float32', [], [0]), like.dtype);
  return e.node('QuantizeLinear', [x, scale, zero]);
}

/** The float32 numbers of an int32 bias, which is stored in units of the product of two scales, for channels or columns. */
export const biasOf = (e: Operators, bias: Value, a: Value, b: Value): Value =>
  e.mul(e.cast(bias, 'float32'), e.mul(flat(e, a), flat(e, b)));

const flat = (e: Operators, scale: Value): Value => e.reshape(scale, [countOf(scale)]);
