import type { DataType } from '../../../../protocol/model';
import type { Operators } from '../operators';
import { axisFrom0, sameShape } from '../operators';
import type { Rule, RuleNode } from '../rule';
import { countOf, type Value } from '../value';

/** Ends of the range of the integer types that values are quantised to. */
const RANGES: Readonly<Partial<Record<DataType, readonly [number, number]>>> = {
  int8: [-128, 127],
  uint8: [0, 255],
  int16: [-32768, 32767],
  uint16: [0, 65535],
};

/**
 * q = saturate(round(x / scale) + zero point). Straight-through estimate (Bengio et al. 2013, arXiv 1308.3432): rounding counts as the identity.
 * Quantising tools delete a Relu or Relu6 and rely on the saturation of a range from 0, or from 0 to 6: where x is beyond such an end, nothing
 * passes. Other ends are only where the calibration pictures ended; what saturates there, often the highest score, keeps its gradient.
 * The gradient with respect to q is that of the real number.
 */
export const quantizeLinear: Rule = {
  ops: ['QuantizeLinear', 'com.microsoft.QuantizeLinear'],
  known: [1, 2],
  vjp: (n, e) => [
    () => {
      const gradient = e.div(n.dy, scaleOf(n, e));
      const mask = rectifierMask(n, e);
      return e.cast(mask ? e.masked(gradient, mask) : gradient, n.x().dtype);
    },
  ],
};

/** y = (q − zero point) · scale. */
export const dequantizeLinear: Rule = {
  ops: ['DequantizeLinear', 'com.microsoft.DequantizeLinear'],
  vjp: (n, e) => [() => e.mul(e.cast(n.dy, 'float32'), scaleOf(n, e))],
};

/**
 * q, scale and zero point from the range of x, which nothing lies outside: rounding counts as the identity, the scale as a constant of the run.
 */
export const dynamicQuantizeLinear: Rule = {
  ops: ['DynamicQuantizeLinear'],
  vjp: (n, e) => {
    const dq = n.dyOf(0);
    return [dq && (() => e.div(dq, n.y(1)))];
  },
};

/** Operators that prepare a picture: its black is no less black without a Relu. Zeros of others are mostly rectified, or below half a step. */
const PREPARING: ReadonlySet<string> = new Set([
  'Cast',
  'Div',
  'Mul',
  'Resize',
  'Sub',
  'Transpose',
]);

const LARGEST = 3.4028234663852886e38;
/** What is above it is 0 or more. */
const BELOW_ZERO = -1.1754943508222875e-38;

/** Where x is inside the rectifiers that the range stands for; null where it stands for none. */
function rectifierMask(n: RuleNode, e: Operators): Value | null {
  const scales = n.numbers(1);
  const [lowest, highest] = RANGES[n.y().dtype] ?? n.refuse(`it quantises to ${n.y().dtype}`);
  if (!scales || n.x(1).shape.length > 1) return null;
  const zeros = n.numbers(2) ?? [0];
  const startsAtZero = (i: number): boolean => (zeros[i] ?? zeros[0]) === lowest;
  const endsAtSix = (scale: number, i: number): boolean =>
    startsAtZero(i) && Math.abs((highest - lowest) * scale - 6) < scale / 2;
  const maker = e.makerOf(n.x().name);
  const zero = maker === null || PREPARING.has(maker.op) ? BELOW_ZERO : 0;
  const lows = scales.map((_, i) => (startsAtZero(i) ? zero : -LARGEST));
  const highs = scales.map((scale, i) => (endsAtSix(scale, i) ? 6 : LARGEST));
  const bound = (values: readonly number[]): Value =>
    e.floats('float32', parameterShape(n, values.length), values);
  const x = e.cast(n.x(), 'float32');
  const above = lows.some(low => low !== -LARGEST) ? e.greater(x, bound(lows)) : null;
  const below = highs.some(high => high !== LARGEST) ? e.less(x, bound(highs)) : null;
  return above && below ? e.and(above, below) : (above ?? below);
}

/** The shape in which one parameter, or one for each place of the axis, broadcasts to input 0. */
function parameterShape(n: RuleNode, count: number): readonly number[] {
  const { shape } = n.x(0);
  if (count === 1) return [];
  const axis = axisFrom0(n.int('axis', 1), shape.length);
  return shape.map((_, i) => (i === axis ? count : 1));
}

/** The scale (input 1) so that it broadcasts to input 0: one, one for each place of an axis, or one for each block along it. */
function scaleOf(n: RuleNode, e: Operators): Value {
  const { shape } = n.x(0);
  const scale = e.cast(n.x(1), 'float32');
  if (scale.shape.length <= 1) return e.reshape(scale, parameterShape(n, countOf(scale)));
  if (sameShape(scale.shape, shape)) return scale;
  return repeated(
    e,
    scale,
    axisFrom0(n.int('axis', 1), shape.length),
    n.int('block_size', 0),
    shape,
  );
}

/** Each place of an axis `times` over, one after the other, cut to a shape. */
function repeated(
  e: Operators,
  scale: Value,
  axis: number,
  times: number,
  shape: readonly number[],
): Value {
  const length = scale.shape[axis] ?? 1;
  const single = e.reshape(scale, scale.shape.toSpliced(axis + 1, 0, 1));
  const several = e.expand(single, scale.shape.toSpliced(axis + 1, 0, times));
  const whole = e.reshape(several, scale.shape.with(axis, length * times));
  return e.slice(whole, [0], [shape[axis] ?? 0], [axis]);
}
