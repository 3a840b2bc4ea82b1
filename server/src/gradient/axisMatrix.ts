import { type Operators, split3 } from './operators';
import type { Value } from './value';

/** A linear map along one axis, y = M · x: `values` of M in row-major order, a row for each output, a column for each input. */
export interface AxisMatrix {
  readonly rows: number;
  readonly columns: number;
  readonly values: Float64Array;
}

/** M from the inputs and weights of each output; weights of one input add up. */
export function axisMatrix(
  columns: number,
  rows: readonly (readonly (readonly [input: number, weight: number])[])[],
): AxisMatrix {
  const values = new Float64Array(rows.length * columns);
  for (const [row, terms] of rows.entries())
    for (const [column, weight] of terms) {
      const at = row * columns + column;
      values[at] = (values[at] ?? 0) + weight;
    }
  return { rows: rows.length, columns, values };
}

/**
 * Mᵀ · g along an axis: what a linear map sends back. A product with the constant matrix, except where every input simply counts for a block of
 * outputs, or every output for a block of inputs: on large maps a product would cost more than all the rest.
 */
export function transposedAlong(e: Operators, g: Value, axis: number, matrix: AxisMatrix): Value {
  const { rows, columns, values } = matrix;
  const repeats = blocksOf(matrix);
  if (repeats?.size === 1) return e.scale(g, repeats.value);
  if (repeats && g.dtype === 'float32' && axis >= 2 && g.shape.length <= 5)
    return e.scale(blockMeans(e, g, axis, repeats.size), repeats.size * repeats.value);
  const sums = blocksOf(transposed(matrix));
  if (sums) return e.scale(repeated(e, g, axis, sums.size), sums.value);
  const { outer, inner } = split3(g.shape, axis);
  const shape = g.shape.with(axis, columns);
  if (inner === 1) {
    const flat = e.reshape(g, [outer, rows]);
    return e.reshape(e.matMul(flat, e.floats(g.dtype, [rows, columns], values)), shape);
  }
  const back = e.floats(g.dtype, [columns, rows], transposed(matrix).values);
  return e.reshape(e.matMul(back, e.reshape(g, [outer, rows, inner])), shape);
}

function transposed({ rows, columns, values }: AxisMatrix): AxisMatrix {
  const turned = values.map((_, at) => values[(at % rows) * columns + Math.floor(at / rows)] ?? 0);
  return { rows: columns, columns: rows, values: turned };
}

/** Where row r has `value` in column ⌊r / size⌋ and nothing else; null for all other matrices. */
function blocksOf({
  rows,
  columns,
  values,
}: AxisMatrix): { readonly size: number; readonly value: number } | null {
  const size = rows / columns;
  const value = values[0] ?? 0;
  const inBlock = (at: number): boolean =>
    Math.floor(Math.floor(at / columns) / size) === at % columns;
  const blocks = Number.isInteger(size) && size > 0;
  return blocks && values.every((entry, at) => entry === (inBlock(at) ? value : 0))
    ? { size, value }
    : null;
}

function blockMeans(e: Operators, g: Value, axis: number, size: number): Value {
  const window = g.shape.slice(2).map((_, i) => (i + 2 === axis ? size : 1));
  return e.node('AveragePool', [g], { kernel_shape: window, strides: window });
}

/** Each element `size` times in a row. */
function repeated(e: Operators, g: Value, axis: number, size: number): Value {
  const part = e.reshape(g, g.shape.toSpliced(axis + 1, 0, 1));
  const whole = e.concat(new Array<Value>(size).fill(part), axis + 1);
  return e.reshape(whole, g.shape.with(axis, (g.shape[axis] ?? 1) * size));
}
