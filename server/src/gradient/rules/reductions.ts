import { axisFrom0, otherAxes, type Operators } from '../operators';
import type { Rule, RuleNode } from '../rule';
import type { Value } from '../value';
import { normGradient } from './norms';

/** A reduction as its gradient needs it. */
interface Reduction {
  readonly x: Value;
  readonly axes: readonly number[];
  /** Number of elements behind each output. */
  readonly count: number;
  /** The gradient of the output, with the reduced axes as axes of size 1. */
  readonly dy: Value;
  /** The output, with the reduced axes as axes of size 1. */
  y(): Value;
}

/** The gradient, of x's shape or one that broadcasts to it. */
const GRADIENTS: readonly (readonly [string, (r: Reduction, e: Operators) => Value])[] = [
  ['ReduceSum', r => r.dy],
  ['ReduceMean', (r, e) => e.scale(r.dy, 1 / r.count)],
  ['ReduceMax', extremeGradient],
  ['ReduceMin', extremeGradient],
  ['ReduceProd', (r, e) => e.mul(r.dy, productOfOthers(e, r))],
  ['ReduceL1', (r, e) => normGradient(e, r.x, r.y(), r.dy, 1)],
  ['ReduceL2', (r, e) => normGradient(e, r.x, r.y(), r.dy, 2)],
  ['ReduceSumSquare', (r, e) => e.mul(e.scale(r.dy, 2), r.x)],
  ['ReduceLogSum', (r, e) => e.mul(r.dy, e.exp(e.neg(r.y())))],
  ['ReduceLogSumExp', (r, e) => e.mul(r.dy, e.exp(e.sub(r.x, r.y())))],
];

/** Reductions over axes that are an attribute or, ReduceSum from version 13 and the others from 18 on, an input. */
export const reductions: readonly Rule[] = GRADIENTS.map(([op, gradient]) => ({
  ops: [op],
  known: [1],
  vjp: (n, e) => [
    () => {
      if (n.x().shape.includes(0)) return e.zeros(n.x());
      return e.expand(gradient(reductionOf(n, e), e), n.x().shape);
    },
  ],
}));

function reductionOf(n: RuleNode, e: Operators): Reduction {
  const x = n.x();
  const axes = reducedAxes(n, x.shape.length);
  const kept = x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size));
  return {
    x,
    axes,
    count: axes.reduce((count, axis) => count * (x.shape[axis] ?? 1), 1),
    dy: e.reshape(n.dy, kept),
    y: () => e.reshape(n.y(), kept),
  };
}

function reducedAxes(n: RuleNode, rank: number): readonly number[] {
  const axes = n.intsOrInput('axes', 1) ?? [];
  if (axes.length > 0) return axes.map(axis => axisFrom0(axis, rank));
  return n.int('noop_with_empty_axes', 0) === 0 ? [...Array(rank).keys()] : [];
}

/** Elements that are equal to the extreme share its gradient evenly. */
function extremeGradient({ x, axes, dy, y }: Reduction, e: Operators): Value {
  const mask = e.equal(x, y());
  const count = e.reduceSum(e.asNumber(mask, dy.dtype), axes);
  return e.masked(e.div(dy, count), mask);
}

/** For each element the product of all others: of those before it and those behind it, so that zeros need no division. */
function productOfOthers(e: Operators, { x, axes, count }: Reduction): Value {
  const order = [...otherAxes(x, axes), ...axes];
  const moved = e.transpose(x, order);
  const rows = e.reshape(moved, [moved.shape.reduce((a, b) => a * b, 1) / count, count]);
  const others = e.mul(productBeside(e, rows, 1), productBeside(e, rows, -1));
  return e.transpose(
    e.reshape(others, moved.shape),
    x.shape.map((_, axis) => order.indexOf(axis)),
  );
}

/** Products of what is before (1) or behind (−1) each element of a row, by doubling (Hillis and Steele 1986). */
function productBeside(e: Operators, rows: Value, direction: 1 | -1): Value {
  const shifted = (value: Value, by: number): Value =>
    e.pad(value, [0, by * direction], [0, -by * direction], 1);
  let products = shifted(rows, 1);
  for (let width = 1; width < (rows.shape[1] ?? 1) - 1; width *= 2)
    products = e.mul(products, shifted(products, width));
  return products;
}
