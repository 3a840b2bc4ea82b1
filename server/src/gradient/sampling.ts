import type { Operators } from './operators';
import type { Value } from './value';

/** One neighbour of the sampling points along an axis, all of the points' shape. */
export interface Tap {
  /** Its place on the axis, int64, always inside. */
  readonly index: Value;
  readonly weight: Value;
  /** d weight / d position. */
  readonly slope: Value;
}

/** How GridSample treats positions between and outside elements. */
export interface Sampling {
  readonly mode: string;
  readonly padding: string;
  readonly alignCorners: boolean;
}

/**
 * The neighbours of run-time positions on an axis of `length` elements, element centres at 0, 1, …: their places and weights as GridSample
 * has them, which pads neighbours, not positions (as ONNX Runtime does).
 */
export function tapsAt(e: Operators, at: Value, length: number, how: Sampling): readonly Tap[] {
  if (how.mode === 'nearest') {
    const one = e.filled(at.dtype, at.shape, 1);
    return [padded(e, e.node('Round', [at]), { weight: one, slope: e.zeros(at) }, length, how)];
  }
  const low = e.node('Floor', [at]);
  const t = e.sub(at, low);
  const cubic = how.mode === 'cubic' || how.mode === 'bicubic';
  return (cubic ? [-1, 0, 1, 2] : [0, 1]).map(k =>
    padded(e, e.offset(low, k), cubic ? keys(e, t, k) : hat(e, t, k), length, how),
  );
}

/** One tap of each axis. */
export type Corner = readonly Tap[];

/** What a point is interpolated from: every choice of one tap for each axis, the last axis changing fastest. */
export const cornersOf = (axes: readonly (readonly Tap[])[]): readonly Corner[] =>
  axes.reduce<readonly Corner[]>(
    (sofar, taps) => sofar.flatMap(corner => taps.map(tap => [...corner, tap])),
    [[]],
  );

/** Place of a corner among the elements of axes of these lengths. */
export const placeOf = (e: Operators, corner: Corner, lengths: readonly number[]): Value =>
  e.sum(
    corner.map(({ index }, axis) => e.mul(index, e.ints([product(lengths.slice(axis + 1))], []))),
  );

export const weightOf = (e: Operators, corner: Corner): Value =>
  corner.map(({ weight }) => weight).reduce((a, b) => e.mul(a, b));

/** d weight / d position along one axis. */
export const slopeOf = (e: Operators, corner: Corner, along: number): Value =>
  corner
    .map(({ weight, slope }, axis) => (axis === along ? slope : weight))
    .reduce((a, b) => e.mul(a, b));

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);

interface Weight {
  readonly weight: Value;
  readonly slope: Value;
}

/** Places outside are moved inside; with zeros around, what stood there does not count. */
function padded(
  e: Operators,
  place: Value,
  { weight, slope }: Weight,
  length: number,
  { padding, alignCorners }: Sampling,
): Tap {
  const mirrors = padding === 'reflection';
  const inside = clamped(e, mirrors ? reflected(e, place, length, alignCorners) : place, length);
  const index = e.cast(inside, 'int64');
  if (padding !== 'zeros') return { index, weight, slope };
  const counts = e.asNumber(e.equal(place, inside), place.dtype);
  return { index, weight: e.mul(weight, counts), slope: e.mul(slope, counts) };
}

const clamped = (e: Operators, place: Value, length: number): Value =>
  e.node('Min', [e.node('Max', [place, e.scalar(place, 0)]), e.scalar(place, length - 1)]);

/** Mirrored at the first and last element (`alignCorners`) or at the edges half an element before and behind them. */
function reflected(e: Operators, place: Value, length: number, alignCorners: boolean): Value {
  const first = alignCorners ? 0 : -0.5;
  const range = alignCorners ? length - 1 : length;
  if (range === 0) return e.scale(place, 0);
  const distance = e.node('Abs', [e.offset(place, -first)]);
  const inPeriod = e.node('Mod', [distance, e.scalar(place, 2 * range)], { fmod: 1 });
  return e.offset(e.neg(e.node('Abs', [e.offset(inPeriod, -range)])), first + range);
}

/** Linear interpolation, a fraction t behind the lower neighbour. */
function hat(e: Operators, t: Value, k: number): Weight {
  return {
    weight: k === 0 ? e.offset(e.neg(t), 1) : t,
    slope: e.filled(t.dtype, t.shape, k === 0 ? -1 : 1),
  };
}

/** Coefficient of cubic convolution in GridSample. */
const A = -0.75;

/** Cubic convolution (Keys 1981), for the neighbour k elements behind the one below. */
function keys(e: Operators, t: Value, k: number): Weight {
  const d = k > 0 ? e.offset(e.neg(t), k) : e.offset(t, -k);
  const near = k === 0 || k === 1;
  const weight = near ? [A + 2, -(A + 3), 0, 1] : [A, -5 * A, 8 * A, -4 * A];
  const slope = near ? [3 * (A + 2), -2 * (A + 3), 0] : [3 * A, -10 * A, 8 * A];
  return {
    weight: polynomial(e, d, weight),
    slope: e.scale(polynomial(e, d, slope), k > 0 ? -1 : 1),
  };
}

/** Coefficients of the highest power first (Horner). */
function polynomial(e: Operators, x: Value, coefficients: readonly number[]): Value {
  const [first = 0, ...rest] = coefficients;
  return rest
    .slice(1)
    .reduce(
      (value, coefficient) => e.offset(e.mul(value, x), coefficient),
      e.offset(e.scale(x, first), rest[0] ?? 0),
    );
}
