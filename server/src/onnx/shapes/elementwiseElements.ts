import type { DataType, Dimension } from '../../../../protocol/model';
import { dividedBy, isKnown, plus, times } from './dimensions';
import type { Elements, NodeView } from './rule';

/** Finds the elements of one output, whose shape is known and small. Null where they do not follow. */
export type ElementRule = (
  node: NodeView,
  shape: readonly number[],
  output: number,
) => Elements | null;

/** Strides of a shape in C order, in elements. */
export function stridesOf(shape: readonly number[]): readonly number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let axis = shape.length - 2; axis >= 0; axis--)
    strides[axis] = (strides[axis + 1] ?? 1) * (shape[axis + 1] ?? 1);
  return strides;
}

/** Calls `visit` with the coordinates of every element, in C order. */
export function* coordinatesOf(shape: readonly number[]): Generator<readonly number[]> {
  const count = shape.reduce((product, length) => product * length, 1);
  const strides = stridesOf(shape);
  for (let index = 0; index < count; index++)
    yield strides.map((stride, axis) => Math.floor(index / stride) % (shape[axis] ?? 1));
}

export const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);

/** Elements of an input as an array that broadcasts to `shape`. */
export function broadcastElements(
  node: NodeView,
  index: number,
  shape: readonly number[],
): Elements | null {
  const elements = node.elements(index);
  const from = node.shape(index);
  if (elements === null || !isKnown(from)) return null;
  const offset = shape.length - from.length;
  const strides = stridesOf(from);
  const steps = shape.map((_, axis) =>
    axis < offset || from[axis - offset] === 1 ? 0 : (strides[axis - offset] ?? 0),
  );
  return Array.from(coordinatesOf(shape), place => elements[dot(place, steps)] ?? null);
}

/** An element-wise operator with numpy broadcasting. */
export const zipped =
  (combine: (operands: readonly Dimension[], dtype: DataType) => Dimension): ElementRule =>
  (node, shape) => {
    const operands: Elements[] = [];
    for (let index = 0; index < node.inputCount; index++) {
      const elements = broadcastElements(node, index, shape);
      if (elements === null) return null;
      operands.push(elements);
    }
    const dtype = node.dtype(node.node.op === 'Where' ? 1 : 0);
    return Array.from(coordinatesOf(shape), (_, place) =>
      combine(
        operands.map(elements => elements[place] ?? null),
        dtype,
      ),
    );
  };

export const folded = (
  combine: (a: Dimension, b: Dimension, dtype: DataType) => Dimension,
): ElementRule =>
  zipped((operands, dtype) => {
    const [first = null, ...rest] = operands;
    return rest.reduce<Dimension>((sofar, operand) => combine(sofar, operand, dtype), first);
  });

export const numeric = (combine: (a: number, b: number, dtype: DataType) => number): ElementRule =>
  folded((a, b, dtype) =>
    typeof a === 'number' && typeof b === 'number' ? combine(a, b, dtype) : null,
  );

export const unary = (apply: (value: number) => number): ElementRule =>
  zipped(([value]) => (typeof value === 'number' ? apply(value) : null));

export const isFloat = (dtype: DataType): boolean =>
  dtype.startsWith('float') || dtype === 'bfloat16';

/** Integers divide towards zero. */
export const quotient = (a: Dimension, b: Dimension, dtype: DataType): Dimension => {
  if (typeof a !== 'number' || typeof b !== 'number') return dividedBy(a, b);
  if (b === 0) return null;
  return isFloat(dtype) ? a / b : Math.trunc(a / b);
};

/** A symbolic size equals itself and no negative number; more is not known of it. */
export const equal = (a: Dimension, b: Dimension): Dimension => {
  if (typeof a === 'number' && typeof b === 'number') return a === b ? 1 : 0;
  if (a === null || b === null) return null;
  if (a === b) return 1;
  return (typeof a === 'number' && a < 0) || (typeof b === 'number' && b < 0) ? 0 : null;
};

export const evenRound = (value: number): number => {
  const rounded = Math.round(value);
  return Math.abs(value % 1) === 0.5 && rounded % 2 !== 0 ? rounded - 1 : rounded;
};

export const flag = (value: boolean): number => (value ? 1 : 0);

export const sum: ElementRule = folded((a, b) =>
  typeof a === 'number' && typeof b === 'number' ? a + b : plus(a, b),
);
export const multiplied: ElementRule = folded((a, b) => {
  if (typeof a === 'number' && typeof b === 'number') return a * b;
  return a === 0 || b === 0 ? 0 : times(a, b);
});
export const difference: ElementRule = folded((a, b) => {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  if (b === 0) return a;
  return a !== null && a === b ? 0 : null;
});
