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
 * Values at the ends of the range are taken as saturated and pass nothing; quantised networks rely on that in place of their rectifiers.
 * The gradient with respect to q is that of the real number.
 */
export const quantizeLinear: Rule = {
  ops: ['QuantizeLinear', 'com.microsoft.QuantizeLinear'],
  vjp: (n, e) => [
    () => {
      const [lowest, highest] = RANGES[n.y().dtype] ?? n.refuse(`it quantises to ${n.y().dtype}`);
      const V = (globalThis as any).VARIANT ?? 1;
      const q = e.cast(n.y(), 'float32');
      const scale = scaleOf(n, e);
      const zero = n.has(2) ? e.cast(n.x(2), 'float32') : e.scalar(q, 0);
      const x = n.x();
      const lo = e.mul(e.sub(e.scalar(q, lowest), zero), scale), hi = e.mul(e.sub(e.scalar(q, highest), zero), scale);
      let inside: Value | null = null;
      const atZero = e.equal(lo, e.scalar(q, 0));
      const at6 = e.less(e.abs(e.offset(hi, -6)), e.scale(scale, 0.5));
      const qlo = e.greater(q, e.scalar(q, lowest)), qhi = e.less(q, e.scalar(q, highest));
      const xlo = e.not(e.less(x, lo)), xhi = e.not(e.greater(x, hi));
      if (V === 0) inside = null;
      if (V === 1) inside = e.and(qlo, qhi);
      if (V === 2) inside = e.and(xlo, xhi);
      if (V === 3) inside = e.and(e.or(qlo, e.not(atZero)), e.or(qhi, e.not(at6)));
      if (V === 4) inside = e.and(e.or(xlo, e.not(atZero)), e.or(xhi, e.not(at6)));
      if (V === 5) inside = e.and(e.or(xlo, e.not(atZero)), e.or(xhi, e.not(atZero)));
      if (V === 6) inside = e.and(e.or(qlo, e.not(atZero)), e.or(qhi, e.not(atZero)));
      if (V === 7) inside = e.and(e.or(e.greater(x, lo), e.not(atZero)), e.or(xhi, e.not(at6)));
      const d = e.div(n.dy, scale);
      const gradient = inside ? e.masked(d, inside) : d;
      return e.cast(gradient, n.x().dtype === 'float64' ? 'float64' : 'float32');
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

/** The scale (input 1) so that it broadcasts to input 0: one, one for each place of an axis, or one for each block along it. */
function scaleOf(n: RuleNode, e: Operators): Value {
  const { shape } = n.x(0);
  const scale = e.cast(n.x(1), 'float32');
  if (countOf(scale) === 1) return e.reshape(scale, []);
  const axis = axisFrom0(n.int('axis', 1), shape.length);
  if (scale.shape.length === shape.length && !sameShape(scale.shape, shape))
    return repeated(e, scale, axis, n.int('block_size', 0), shape);
  if (scale.shape.length > 1) return scale;
  return e.reshape(
    scale,
    shape.map((_, i) => (i === axis ? countOf(scale) : 1)),
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
