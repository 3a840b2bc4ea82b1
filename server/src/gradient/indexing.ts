import { sameShape, split3, type Operators } from './operators';
import type { RuleNode } from './rule';
import type { Value } from './value';

/**
 * The transposes of reading by index: what was read several times gets the sum. ScatterND with reduction "add" is not used for it: ONNX
 * Runtime's CPU kernel works on duplicates in parallel and loses summands.
 */

/** Elements of a comparison of indices with row numbers that is held at once, and how many such parts there may be. */
const MOST_COMPARED = 2 ** 22;
const MOST_PARTS = 64;

/**
 * Below this many rows a product with a one-hot matrix is faster than ScatterElements, which takes about 30 ns for each element in ONNX
 * Runtime.
 */
const FEW_ROWS = 256;

/** Runs of a constant index list that are moved piece by piece; with more, rows are read one by one. */
const MOST_RUNS = 4;

/** g of [outer, K, inner] added to rows of zeros: result [outer, size, inner]. `rows`: [K] integers, −size … size − 1. */
export function addToRows(n: RuleNode, e: Operators, g: Value, rows: Value, size: number): Value {
  const [outer = 1, count = 1, inner = 1] = g.shape;
  const whole = e.cast(rows, 'int64');
  if (e.opset >= 16 && (size > FEW_ROWS || size * count > MOST_COMPARED)) {
    const places = e.expand(e.reshape(whole, [count, 1]), g.shape);
    const zeros = e.filled(g.dtype, [outer, size, inner], 0);
    return e.node('ScatterElements', [zeros, places, g], { axis: 1, reduction: 'add' });
  }
  const places = e.reshape(fromZero(e, whole, size), [1, count]);
  const parts = rangesOf(n, size, count).map(([from, to]) => {
    const oneHot = matches(e, places, from, [to - from, 1]);
    return e.matMul(e.asNumber(oneHot, g.dtype), g);
  });
  return e.concat(parts, 1);
}

/**
 * The transpose of GatherElements: g of the indices' shape, added along `axis` to zeros of `shape`. Indices count from 0, or from the end
 * where they are negative. `unique` says that no index is there twice among those along the axis.
 */
export function addAlong(
  n: RuleNode,
  e: Operators,
  g: Value,
  indices: Value,
  axis: number,
  shape: readonly number[],
  unique = false,
): Value {
  const size = shape[axis] ?? 1;
  const single = unique || g.shape[axis] === 1;
  if (e.opset >= 16 && !single)
    return e.node('ScatterElements', [e.filled(g.dtype, shape, 0), indices, g], {
      axis,
      reduction: 'add',
    });
  if (e.opset >= 9 && single)
    return e.node(scatterOp(e), [e.filled(g.dtype, shape, 0), indices, g], { axis });
  const { outer, size: count, inner } = split3(g.shape, axis);
  const spread = e.reshape(g, [outer, 1, count, inner]);
  const places = e.reshape(fromZero(e, indices, size), [outer, 1, count, inner]);
  const parts = rangesOf(n, size, outer * count * inner).map(([from, to]) => {
    const mask = matches(e, places, from, [to - from, 1, 1]);
    return e.reduceSum(e.mul(e.asNumber(mask, g.dtype), spread), [2]);
  });
  const summed = e.concat(parts, 1);
  const along = g.shape.map((length, at) => (at === axis ? size : length));
  return cornerOf(e, e.reshape(summed, along), shape);
}

/** GatherElements along an axis, also where the opset has none: for indices of the rank of `a`, no longer than it on the other axes. */
export function takeAlong(
  n: RuleNode,
  e: Operators,
  a: Value,
  indices: Value,
  axis: number,
): Value {
  if (e.opset >= 11) return e.node('GatherElements', [a, indices], { axis });
  const size = a.shape[axis] ?? 1;
  const { outer, size: count, inner } = split3(indices.shape, axis);
  const along = indices.shape.map((length, at) => (at === axis ? size : length));
  const values = e.reshape(cornerOf(e, a, along), [outer, size, 1, inner]);
  const places = e.reshape(fromZero(e, indices, size), [outer, 1, count, inner]);
  const parts = rangesOf(n, size, outer * count * inner).map(([from, to]) => {
    const mask = e.asNumber(matches(e, places, from, [to - from, 1, 1]), a.dtype);
    return e.reduceSum(e.mul(mask, e.slice(values, [from], [to], [1])), [1]);
  });
  return e.reshape(e.sum(parts), indices.shape);
}

/** Scatter was renamed at opset 11. */
export const scatterOp = (e: Operators): string => (e.opset >= 11 ? 'ScatterElements' : 'Scatter');

/** The transpose of reading constant rows along an axis: g has one slice for each of `rows` (0 … size − 1), the result has `size`. */
export function placeAlong(
  n: RuleNode,
  e: Operators,
  g: Value,
  axis: number,
  rows: readonly number[],
  size: number,
): Value {
  const shape = g.shape.map((length, at) => (at === axis ? size : length));
  if (shape.includes(0) || rows.length === 0) return e.filled(g.dtype, shape, 0);
  const runs = runsOf(rows);
  if (runs.length <= MOST_RUNS) return e.sum(runs.map(run => placedRun(e, g, axis, run, size)));
  const rounds = roundsOf(rows, size);
  if (rounds.length * size <= 4 * (size + rows.length))
    return e.sum(rounds.map(positions => pickedRows(e, g, axis, positions)));
  const { outer, size: count, inner } = split3(g.shape, axis);
  const flat = e.reshape(g, [outer, count, inner]);
  return e.reshape(addToRows(n, e, flat, e.ints(rows), size), shape);
}

/** Indices `at` … `at + length − 1` of a list that read rows in steps of −1, 0 or 1, beginning with row `first`. */
interface Run {
  readonly at: number;
  readonly first: number;
  readonly step: number;
  readonly length: number;
}

function runsOf(rows: readonly number[]): readonly Run[] {
  const runs: Run[] = [];
  for (let at = 0; at < rows.length;) {
    const first = rows[at] ?? 0;
    const step = (rows[at + 1] ?? NaN) - first;
    let length = 1;
    if (Math.abs(step) <= 1) while (rows[at + length] === first + step * length) length++;
    runs.push({ at, first, step: length === 1 ? 1 : step, length });
    at += length;
  }
  return runs;
}

function placedRun(e: Operators, g: Value, axis: number, run: Run, size: number): Value {
  const { at, first, step, length } = run;
  const all = at === 0 && length === g.shape[axis];
  const part = all ? g : e.slice(g, [at], [at + length], [axis]);
  const placed = step === 0 ? e.reduceSum(part, [axis]) : step < 0 ? e.reverse(part, [axis]) : part;
  const low = step < 0 ? first - length + 1 : first;
  const begins = g.shape.map((_, i) => (i === axis ? low : 0));
  const ends = g.shape.map((_, i) => (i === axis ? size - low - (placed.shape[axis] ?? 0) : 0));
  return e.pad(placed, begins, ends);
}

/** For the first time that rows are read, the second time and so on: where each row stands in the list; −1 where it does not. */
function roundsOf(rows: readonly number[], size: number): readonly (readonly number[])[] {
  const rounds: number[][] = [];
  const seen = new Array<number>(size).fill(0);
  rows.forEach((row, position) => {
    const round = seen[row] ?? 0;
    seen[row] = round + 1;
    const positions = rounds[round] ?? new Array<number>(size).fill(-1);
    positions[row] = position;
    rounds[round] = positions;
  });
  return rounds;
}

/** Slices of g along the axis; zeros at position −1. */
function pickedRows(e: Operators, g: Value, axis: number, positions: readonly number[]): Value {
  const count = g.shape[axis] ?? 0;
  if (!positions.includes(-1)) return e.gatherConstant(g, positions, axis);
  const withZero = e.pad(
    g,
    g.shape.map(() => 0),
    g.shape.map((_, at) => (at === axis ? 1 : 0)),
  );
  const indices = positions.map(position => (position < 0 ? count : position));
  return e.gatherConstant(withZero, indices, axis);
}

/** Cut off, or filled up with zeros, at the end of each axis. */
function cornerOf(e: Operators, a: Value, shape: readonly number[]): Value {
  if (sameShape(a.shape, shape)) return a;
  return e.pad(
    a,
    a.shape.map(() => 0),
    a.shape.map((length, axis) => (shape[axis] ?? 0) - length),
  );
}

/** Indices into `size` rows, those that count from the end counted from 0. */
export function fromZero(e: Operators, indices: Value, size: number): Value {
  const whole = e.cast(indices, 'int64');
  if (e.opset >= 10) return e.node('Mod', [whole, e.ints([size], [])]);
  const negative = e.less(e.cast(whole, 'float32'), e.floats('float32', [], [0]));
  return e.add(whole, e.mul(e.cast(negative, 'int64'), e.ints([size], [])));
}

/** Where indices are the rows from `from` on; the row numbers have this shape. */
function matches(e: Operators, indices: Value, from: number, rowShape: readonly number[]): Value {
  const count = rowShape.reduce((a, b) => a * b, 1);
  const rows = Array.from({ length: count }, (_, i) => from + i);
  return e.node('Equal', [indices, e.ints(rows, rowShape)]);
}

/** Rows 0 … size in parts, so that a comparison with `count` indices keeps within bounds. */
function rangesOf(
  n: RuleNode,
  size: number,
  count: number,
): readonly (readonly [number, number])[] {
  const rows = Math.max(1, Math.floor(MOST_COMPARED / Math.max(1, count)));
  const parts = Math.max(1, Math.ceil(size / rows));
  if (parts > MOST_PARTS || count > MOST_COMPARED)
    n.refuse(`its ${count} indices into ${size} rows are too many to add up before opset 16`);
  return Array.from({ length: parts }, (_, part) => [
    part * rows,
    Math.min(size, (part + 1) * rows),
  ]);
}
