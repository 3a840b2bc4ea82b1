import type { DataType } from '../../../protocol/model';
import { codeOf } from '../onnx/dataTypes';
import { Emitter } from './emitter';
import { countOf, isFloat, type Value } from './value';

/**
 * Standard operators as every opset from 7 on has them: what moved from attributes to inputs, or is missing in old versions, is settled here
 * and nowhere else. Axes count from 0 or from the end. Follows the ONNX operator specification and its changelog.
 */
export class Operators extends Emitter {
  get opset(): number {
    return this.version();
  }

  // ------------------------------------------------------------ constants

  /** A scalar of the type of `like`. */
  scalar(like: Value, value: number): Value {
    return this.floats(isFloat(like.dtype) ? like.dtype : 'float32', [], [value]);
  }

  /** A tensor of one value, as a broadcast so that it takes no room in the file. */
  filled(dtype: DataType, shape: readonly number[], value: number): Value {
    const one = this.floats(dtype, [], [value]);
    return shape.length === 0 ? one : this.expand(one, shape);
  }

  zeros(like: Value): Value {
    return this.filled(isFloat(like.dtype) ? like.dtype : 'float32', like.shape, 0);
  }

  // ----------------------------------------------------------- elementwise

  add(a: Value, b: Value): Value {
    return this.node('Add', [a, b]);
  }
  sub(a: Value, b: Value): Value {
    return this.node('Sub', [a, b]);
  }
  mul(a: Value, b: Value): Value {
    return this.node('Mul', [a, b]);
  }
  div(a: Value, b: Value): Value {
    return this.node('Div', [a, b]);
  }
  neg(a: Value): Value {
    return this.node('Neg', [a]);
  }
  exp(a: Value): Value {
    return this.node('Exp', [a]);
  }
  log(a: Value): Value {
    return this.node('Log', [a]);
  }
  sqrt(a: Value): Value {
    return this.node('Sqrt', [a]);
  }
  abs(a: Value): Value {
    return this.node('Abs', [a]);
  }
  reciprocal(a: Value): Value {
    return this.node('Reciprocal', [a]);
  }
  square(a: Value): Value {
    return this.mul(a, a);
  }
  pow(a: Value, exponent: number): Value {
    return this.node('Pow', [a, this.scalar(a, exponent)]);
  }
  /** a · s with a number. */
  scale(a: Value, factor: number): Value {
    return factor === 1 ? a : this.mul(a, this.scalar(a, factor));
  }
  /** a + s with a number. */
  offset(a: Value, summand: number): Value {
    return summand === 0 ? a : this.add(a, this.scalar(a, summand));
  }

  // ------------------------------------------------- masks and comparisons

  greater(a: Value, b: Value): Value {
    return this.node('Greater', [a, b]);
  }
  less(a: Value, b: Value): Value {
    return this.node('Less', [a, b]);
  }
  not(a: Value): Value {
    return this.node('Not', [a]);
  }
  and(a: Value, b: Value): Value {
    return this.node('And', [a, b]);
  }
  or(a: Value, b: Value): Value {
    return this.node('Or', [a, b]);
  }
  /** a = b, also of floats, which Equal takes from opset 11 on. */
  equal(a: Value, b: Value): Value {
    if (this.opset >= 11 || !isFloat(a.dtype)) return this.node('Equal', [a, b]);
    return this.not(this.or(this.greater(a, b), this.less(a, b)));
  }
  /** A mask as 0 and 1 of this type. */
  asNumber(mask: Value, dtype: DataType): Value {
    return this.cast(mask, dtype);
  }
  /** g where the mask holds, else 0 (also where g is not finite, from opset 9 on). */
  masked(g: Value, mask: Value): Value {
    if (this.opset >= 9) return this.node('Where', [mask, g, this.scalar(g, 0)]);
    return this.gated(g, mask);
  }
  /** As `masked`, for gradients that are finite: a product is many times faster than Where. */
  gated(g: Value, mask: Value): Value {
    return this.mul(g, this.asNumber(mask, g.dtype));
  }
  /** a where the mask holds, else b. Before opset 9 a weighted sum: both have to be finite. */
  select(mask: Value, a: Value, b: Value): Value {
    if (this.opset >= 9) return this.node('Where', [mask, a, b]);
    return this.add(this.masked(a, mask), this.masked(b, this.not(mask)));
  }
  /** −1, 0 or 1. */
  sign(a: Value): Value {
    if (this.opset >= 9) return this.node('Sign', [a]);
    const zero = this.scalar(a, 0);
    return this.sub(
      this.asNumber(this.greater(a, zero), a.dtype),
      this.asNumber(this.less(a, zero), a.dtype),
    );
  }
  cast(a: Value, dtype: DataType): Value {
    return a.dtype === dtype ? a : this.node('Cast', [a], { to: codeOf(dtype) });
  }

  // -------------------------------------------------------------- reductions

  /** Sum over axes, which stay with size 1. */
  reduceSum(a: Value, axes: readonly number[]): Value {
    return this.reduced('ReduceSum', a, axes, 13);
  }
  /** Mean over axes, which stay with size 1. */
  reduceMean(a: Value, axes: readonly number[]): Value {
    return this.reduced('ReduceMean', a, axes, 18);
  }
  /** Largest value over axes, which stay with size 1. */
  reduceMax(a: Value, axes: readonly number[]): Value {
    return this.reduced('ReduceMax', a, axes, 18);
  }

  private reduced(op: string, a: Value, axes: readonly number[], inputSince: number): Value {
    if (axes.length === 0) return a;
    return this.opset >= inputSince
      ? this.node(op, [a, this.ints(axes)], { keepdims: 1 })
      : this.node(op, [a], { axes, keepdims: 1 });
  }

  /** Undoes broadcasting: sums a gradient over the axes along which a tensor of `shape` was repeated (numpy rules). */
  sumTo(g: Value, shape: readonly number[]): Value {
    const lead = g.shape.length - shape.length;
    const axes = g.shape.flatMap((size, axis) =>
      axis < lead || (shape[axis - lead] === 1 && size !== 1) ? [axis] : [],
    );
    return this.reshape(this.reduceSum(g, axes), shape);
  }

  // ------------------------------------------------------------ arrangement

  /** Sizes are exact: zeros are sizes too. */
  reshape(a: Value, shape: readonly number[]): Value {
    if (sameShape(a.shape, shape)) return a;
    const emptied = shape.includes(0) && this.opset >= 14;
    return this.node('Reshape', [a, this.ints(shape)], emptied ? { allowzero: 1 } : {});
  }
  transpose(a: Value, permutation: readonly number[]): Value {
    if (permutation.every((axis, i) => axis === i)) return a;
    return this.node('Transpose', [a], { perm: permutation });
  }
  /** Swaps the last two axes. */
  swapLast(a: Value): Value {
    const rank = a.shape.length;
    return this.transpose(a, [...Array(rank - 2).keys(), rank - 1, rank - 2]);
  }
  /** Broadcasts to exactly this shape. */
  expand(a: Value, shape: readonly number[]): Value {
    if (sameShape(a.shape, shape)) return a;
    if (this.opset >= 8) return this.node('Expand', [a, this.ints(shape)]);
    // A product with ones of that shape: ConstantOfShape is as young as Expand.
    const ones = this.floats(a.dtype, shape, new Float64Array(product(shape)).fill(1));
    return this.mul(a, ones);
  }
  concat(parts: readonly Value[], axis: number): Value {
    const [only] = parts;
    return only && parts.length === 1 ? only : this.node('Concat', parts, { axis });
  }
  /** Elements starts[i] to ends[i] (exclusive) along axes[i], with steps from opset 10 on. */
  slice(
    a: Value,
    starts: readonly number[],
    ends: readonly number[],
    axes: readonly number[],
    steps?: readonly number[],
  ): Value {
    if (axes.length === 0) return a;
    if (this.opset < 10) {
      if (steps?.some(step => step !== 1)) throw new Error('Slice has steps from opset 10 on');
      return this.node('Slice', [a], { starts, ends, axes });
    }
    const given = [a, this.ints(starts), this.ints(ends), this.ints(axes)];
    return this.node('Slice', steps ? [...given, this.ints(steps)] : given);
  }
  /** `count` equal parts along an axis. */
  split(a: Value, count: number, axis: number): readonly Value[] {
    const declared = this.opset >= 18 ? { num_outputs: count } : null;
    return this.outputs('Split', [a], { axis, ...declared }, count);
  }
  /** The other way round along axes. */
  reverse(a: Value, axes: readonly number[]): Value {
    const turned = axes.filter(axis => (a.shape.at(axis) ?? 1) > 1);
    if (turned.length === 0) return a;
    if (this.opset < 10)
      return turned.reduce(
        (value, axis) => this.gatherConstant(value, reversedRange(value, axis), axis),
        a,
      );
    return this.slice(
      a,
      turned.map(() => -1),
      turned.map(() => -(2 ** 31)),
      turned,
      turned.map(() => -1),
    );
  }
  /** Rows `indices` (0 and more) along an axis. */
  gatherConstant(a: Value, indices: readonly number[], axis: number): Value {
    return this.node('Gather', [a, this.ints(indices)], { axis });
  }
  /** Zeros (or `value`) before and after each axis; negative amounts cut off. */
  pad(a: Value, begins: readonly number[], ends: readonly number[], value = 0): Value {
    if ([...begins, ...ends].every(amount => amount === 0)) return a;
    const pads = [...begins, ...ends];
    if (this.opset < 11) return this.node('Pad', [a], { pads, value: { float: value } });
    return this.node('Pad', [a, this.ints(pads), this.scalar(a, value)]);
  }

  // ----------------------------------------------------------------- matrix

  matMul(a: Value, b: Value): Value {
    return this.node('MatMul', [a, b]);
  }
  /** factor · A · B of two matrices, either of them transposed first. */
  gemm(
    a: Value,
    b: Value,
    { transA, transB, factor }: { transA: boolean; transB: boolean; factor: number },
  ): Value {
    const attributes = {
      alpha: { float: factor },
      transA: Number(transA),
      transB: Number(transB),
    };
    return this.node('Gemm', [a, b, this.opset < 11 ? this.scalar(a, 0) : null], attributes);
  }

  /** Σ over several gradients of one tensor. */
  sum(parts: readonly Value[]): Value {
    return parts.reduce((a, b) => this.add(a, b));
  }

  /** Numbers 0 … n−1 as int64. */
  range(n: number): Value {
    return this.ints([...Array(n).keys()]);
  }
}

const product = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);

export const sameShape = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((size, i) => size === b[i]);

const reversedRange = (a: Value, axis: number): number[] =>
  [...Array(a.shape.at(axis) ?? 1).keys()].reverse();

/** Elements of `shape` in front of and behind an axis: a tensor read as [outer, size, inner]. */
export function split3(
  shape: readonly number[],
  axis: number,
): { readonly outer: number; readonly size: number; readonly inner: number } {
  return {
    outer: product(shape.slice(0, axis)),
    size: shape[axis] ?? 1,
    inner: product(shape.slice(axis + 1)),
  };
}

/** An axis that may count from the end, from 0 on. */
export const axisFrom0 = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

/** All axes but these. */
export const otherAxes = (value: Value, axes: readonly number[]): number[] =>
  value.shape.flatMap((_, axis) => (axes.includes(axis) ? [] : [axis]));

export const isScalar = (value: Value): boolean => countOf(value) === 1;
