import type { DataType, Dimension } from '../../../../protocol/model';
import { axesOf, axisOf, isKnown, knownCount, plus, times } from './dimensions';
import {
  broadcastElements,
  coordinatesOf,
  difference,
  dot,
  type ElementRule,
  equal,
  evenRound,
  flag,
  folded,
  isFloat,
  multiplied,
  numeric,
  quotient,
  stridesOf,
  sum,
  unary,
  zipped,
} from './elementwiseElements';
import { type Elements, MAX_ELEMENTS, type NodeView, type Value } from './rule';
import { sliceBounds, sliceRange } from './rules/pieces';
import { reducedAxes } from './rules/reduction';

/** The elements stay in their order: Identity, Reshape, Squeeze … */
const unchanged: ElementRule = node => node.elements(0);

const cast: ElementRule = node => {
  const from = node.dtype(0);
  const to = node.int('to', 0);
  const [int32, int64, bool] = [6, 7, 9];
  const elements = node.elements(0);
  if (elements === null) return null;
  if (to === bool)
    return elements.map(value => (typeof value === 'number' ? flag(value !== 0) : null));
  if (isFloat(from) && (to === int32 || to === int64))
    return elements.map(value => (typeof value === 'number' ? Math.trunc(value) : value));
  return elements;
};

const gather: ElementRule = node => {
  const data = node.elements(0);
  const indices = node.numbers(1);
  const from = node.shape(0);
  if (data === null || indices === null || !isKnown(from)) return null;
  const axis = axisOf(node.int('axis', 0), from.length);
  if (axis === null) return null;
  const inner = from.slice(axis + 1).reduce((product, length) => product * length, 1);
  const length = from[axis] ?? 0;
  const outer = data.length / Math.max(1, inner * length);
  const result: Dimension[] = [];
  for (let block = 0; block < outer; block++)
    for (const index of indices) {
      const place = axisOf(index, length);
      if (place === null) return null;
      const start = (block * length + place) * inner;
      for (let offset = 0; offset < inner; offset++) result.push(data[start + offset] ?? null);
    }
  return result;
};

const concat: ElementRule = (node, shape) => {
  const axis = axisOf(node.int('axis', 1), shape.length);
  if (axis === null) return null;
  const outer = shape.slice(0, axis).reduce((product, length) => product * length, 1);
  const parts: Elements[] = [];
  for (let index = 0; index < node.inputCount; index++) {
    const elements = node.elements(index);
    if (elements === null) return null;
    parts.push(elements);
  }
  return Array.from({ length: outer }, (_, block) =>
    parts.flatMap(part => {
      const run = part.length / outer;
      return part.slice(block * run, (block + 1) * run);
    }),
  ).flat();
};

const slice: ElementRule = (node, shape) => {
  const data = node.elements(0);
  const from = node.shape(0);
  const bounds = sliceBounds(node);
  if (data === null || bounds === null || !isKnown(from)) return null;
  const axes = axesOf(bounds.axes, from.length);
  if (axes === null) return null;
  const ranges = from.map(length => ({ start: 0, step: 1, count: length }));
  for (const [index, axis] of axes.entries()) {
    const [start, end] = [bounds.starts[index], bounds.ends[index]];
    if (typeof start !== 'number' || typeof end !== 'number') return null;
    const range = sliceRange(from[axis] ?? 0, start, end, bounds.steps[index] ?? 1);
    if (range === null) return null;
    ranges[axis] = range;
  }
  const strides = stridesOf(from);
  return Array.from(coordinatesOf(shape), place => {
    const source = place.map(
      (at, axis) => (ranges[axis]?.start ?? 0) + at * (ranges[axis]?.step ?? 1),
    );
    return data[dot(source, strides)] ?? null;
  });
};

/** Split of a vector. */
const split: ElementRule = (node, shape, output) => {
  const data = node.elements(0);
  if (data === null || shape.length !== 1 || node.shape(0)?.length !== 1) return null;
  const sizes = node.attributeOrInput('split', 1);
  if (sizes === 'unknown') return null;
  const part = Math.ceil(data.length / node.outputCount);
  const start =
    sizes === 'absent'
      ? part * output
      : sizes.slice(0, output).reduce((sum, length) => sum + length, 0);
  return data.slice(start, start + (shape[0] ?? 0));
};

const transpose: ElementRule = (node, shape) => {
  const data = node.elements(0);
  const from = node.shape(0);
  if (data === null || !isKnown(from)) return null;
  const order = node.ints('perm') ?? from.map((_, axis) => from.length - 1 - axis);
  const strides = stridesOf(from);
  const moved = order.map(axis => strides.at(axis) ?? 0);
  return Array.from(coordinatesOf(shape), place => data[dot(place, moved)] ?? null);
};

const range: ElementRule = (node, shape) => {
  const start = node.elements(0)?.[0];
  const delta = node.elements(2)?.[0];
  if (typeof start !== 'number' || typeof delta !== 'number') return null;
  return Array.from({ length: shape[0] ?? 0 }, (_, index) => start + index * delta);
};

const constantOfShape: ElementRule = (node, shape) => {
  const value = node.node.attributes.get('value');
  const [filler = null] =
    value?.kind === 'tensor' ? (node.context.readElements(value.value) ?? []) : [0];
  return new Array<Dimension>(knownCount(shape) ?? 0).fill(filler);
};

const sizeOf: ElementRule = node => {
  const factors = node.shape(0);
  return factors === null
    ? null
    : [factors.reduce<Dimension>((total, length) => times(total, length), 1)];
};

/** ReduceProd, ReduceSum … over everything. */
const reduced =
  (combine: (a: Dimension, b: Dimension) => Dimension): ElementRule =>
  node => {
    const data = node.elements(0);
    const shape = node.shape(0);
    if (data === null || shape === null || data.length === 0) return null;
    if (reducedAxes(node, shape.length)?.length !== shape.length) return null;
    const [first = null, ...rest] = data;
    return [rest.reduce<Dimension>(combine, first)];
  };
const both =
  (combine: (a: number, b: number) => number) =>
  (a: Dimension, b: Dimension): Dimension =>
    typeof a === 'number' && typeof b === 'number' ? combine(a, b) : null;

const RULES: ReadonlyMap<string, ElementRule> = new Map<string, ElementRule>([
  ...['Identity', 'Reshape', 'Squeeze', 'Unsqueeze', 'Flatten'].map(
    name => [name, unchanged] as const,
  ),
  ['Cast', cast],
  ['Add', sum],
  ['Sub', difference],
  ['Mul', multiplied],
  ['Div', folded(quotient)],
  ['Mod', numeric((a, b) => (b === 0 ? NaN : a - b * Math.floor(a / b)))],
  ['Max', numeric((a, b) => Math.max(a, b))],
  ['Min', numeric((a, b) => Math.min(a, b))],
  ['Pow', numeric((a, b) => a ** b)],
  ['Neg', unary(value => -value)],
  ['Abs', unary(Math.abs)],
  ['Floor', unary(Math.floor)],
  ['Ceil', unary(Math.ceil)],
  ['Round', unary(evenRound)],
  ['Sqrt', unary(Math.sqrt)],
  ['Reciprocal', unary(value => 1 / value)],
  ['Not', unary(value => flag(value === 0))],
  ['Equal', folded(equal)],
  ['Less', numeric((a, b) => flag(a < b))],
  ['LessOrEqual', numeric((a, b) => flag(a <= b))],
  ['Greater', numeric((a, b) => flag(a > b))],
  ['GreaterOrEqual', numeric((a, b) => flag(a >= b))],
  ['And', numeric((a, b) => flag(a !== 0 && b !== 0))],
  ['Or', numeric((a, b) => flag(a !== 0 || b !== 0))],
  [
    'Where',
    zipped(([condition, yes = null, no = null]) => {
      if (typeof condition === 'number') return condition === 0 ? no : yes;
      return yes === no ? yes : null;
    }),
  ],
  [
    'Shape',
    node => node.shape(0)?.slice(node.int('start', 0), node.int('end', MAX_ELEMENTS)) ?? null,
  ],
  ['Size', sizeOf],
  ['Gather', gather],
  ['Concat', concat],
  ['Slice', slice],
  ['Split', split],
  ['Transpose', transpose],
  ['Expand', (node, shape) => broadcastElements(node, 0, shape)],
  ['Range', range],
  ['ConstantOfShape', constantOfShape],
  [
    'ReduceProd',
    reduced((a, b) => (typeof a === 'number' && typeof b === 'number' ? a * b : times(a, b))),
  ],
  [
    'ReduceSum',
    reduced((a, b) => (typeof a === 'number' && typeof b === 'number' ? a + b : plus(a, b))),
  ],
  ['ReduceMax', reduced(both(Math.max))],
  ['ReduceMin', reduced(both(Math.min))],
]);

/** Rules that look at shapes or attributes instead of the elements of all inputs. */
const FROM_SHAPES: ReadonlySet<string> = new Set(['Shape', 'Size', 'ConstantOfShape']);

/** Rounds a computed element as its type would; what the type cannot hold exactly is not known. */
function fitted(element: Dimension, dtype: DataType): Dimension {
  if (typeof element !== 'number') return element;
  if (!Number.isFinite(element)) return null;
  if (dtype === 'float32') return Math.fround(element);
  if (dtype === 'float64') return element;
  if (isFloat(dtype)) return null;
  return Number.isInteger(element) && Math.abs(element) <= 2 ** 53 ? element : null;
}

/**
 * Elements of one output of an ai.onnx node, found by computing with small constants and sizes (the arithmetic that exporters put
 * in front of Reshape, Slice and Resize). Null where the operator, an input or the output is beyond that.
 */
export function elementsOf(node: NodeView, output: Value, index: number): Elements | null {
  const rule = node.node.domain === '' ? RULES.get(node.node.op) : undefined;
  const count = knownCount(output.shape);
  if (rule === undefined || count === null || count > MAX_ELEMENTS || !isKnown(output.shape))
    return null;
  const follows = (input: number) => !node.has(input) || node.mayHaveElements(input);
  const inputs = Array.from({ length: node.inputCount }, (_, input) => input);
  if (!FROM_SHAPES.has(node.node.op) && !inputs.every(follows)) return null;
  const elements = rule(node, output.shape, index);
  if (elements === null || elements.length !== count) return null;
  return elements.map(element => fitted(element, output.dtype));
}
