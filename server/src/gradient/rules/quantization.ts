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
  vjp: (n, e) => [
    () => e.mul(e.cast(n.dy, 'float32'), scaleOf(n, e)),
    () => {
      const steps = e.cast(withScale(n, e, e.filled('float32', n.x(1).shape, 1)), n.x(1).dtype);
      return summedByScale(n, e, e.mul(e.cast(n.dy, steps.dtype), steps));
    },
  ],
};

/** The operator with another scale: with ones it gives q − zero point. */
function withScale(n: RuleNode, e: Operators, scale: Value): Value {
  const inputs = [n.x(0), e.cast(scale, n.x(1).dtype), n.has(2) ? n.x(2) : null];
  const attributes = Object.fromEntries(
    ['axis', 'block_size']
      .filter(name => n.hasAttribute(name))
      .map(name => [name, n.int(name, 0)] as const),
  );
  return e.node('DequantizeLinear', inputs, attributes, n.node.domain);
}

/** Summed over what each scale is for. */
function summedByScale(n: RuleNode, e: Operators, g: Value): Value {
  const { shape } = n.x(1);
  if (shape.length <= 1) {
    const kept = parameterShape(n, countOf(n.x(1)));
    return e.reshape(e.sumTo(g, kept), shape);
  }
  const axis = axisFrom0(n.int('axis', 1), shape.length);
  const [blocks, size] = [shape[axis] ?? 1, Math.max(1, n.int('block_size', 0))];
  const missing = g.shape.map((length, i) => (i === axis ? blocks * size - length : 0));
  const none = missing.map(() => 0);
  const apart = e.reshape(e.pad(g, none, missing), g.shape.toSpliced(axis, 1, blocks, size));
  return e.reshape(e.reduceSum(apart, [axis + 1]), shape);
}

/**
 * q, scale and zero point from the range of x, which nothing lies outside: rounding counts as the identity. Where q leads to the target the
 * scale counts as a constant of the run, since what it changes in q it takes back behind; where nothing but the scale does, it is the
 * range, 0 included, over 255.
 */
export const dynamicQuantizeLinear: Rule = {
  ops: ['DynamicQuantizeLinear'],
  vjp: (n, e) => {
    const [dq, ofScale] = [n.dyOf(0), n.dyOf(1)];
    if (dq) return [() => e.div(dq, n.y(1))];
    return [ofScale && (() => ofRange(n, e, e.scale(ofScale, 1 / 255)))];
  },
};

/** The gradient of max(x, 0) − min(x, 0) over all of x; elements that are equal to an end share its part. */
function ofRange(n: RuleNode, e: Operators, g: Value): Value {
  const x = n.x();
  const axes = x.shape.map((_, axis) => axis);
  const highest = e.reduceMax(x, axes);
  const lowest = e.neg(e.reduceMax(e.neg(x), axes));
  const zero = e.scalar(x, 0);
  const share = (end: Value, counts: Value): Value => {
    const isEnd = e.and(e.equal(x, end), counts);
    const count = e.reduceSum(e.asNumber(isEnd, x.dtype), axes);
    return e.masked(e.div(e.expand(g, x.shape), count), isEnd);
  };
  return e.sub(share(highest, e.greater(x, zero)), share(lowest, e.less(x, zero)));
}

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
