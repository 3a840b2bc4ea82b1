/** A weight read as filters × slices × rows × columns without copying it. */
export interface FilterBank {
  /** Output channels (units). */
  readonly filters: number;
  /** Input channels that each filter sees. */
  readonly slices: number;
  readonly rows: number;
  readonly columns: number;
  /** Element of the first weight of a filter. */
  filterOffset(filter: number): number;
  readonly sliceStride: number;
  /** Element offset of each kernel position, row by row. */
  readonly positions: Int32Array;
}

/** Gives an element as a number; dequantising readers give real values. */
export type ReadElement = (index: number) => number;

/** Kernel positions of the last axes [kh, kw], [k] or [kd, kh, kw] (depth slices side by side), C order. */
function kernelPositions(kernel: readonly number[]): {
  rows: number;
  columns: number;
  positions: Int32Array;
} {
  const width = kernel.at(-1) ?? 1;
  const rows = kernel.length >= 2 ? (kernel.at(-2) ?? 1) : 1;
  const depth = kernel.slice(0, -2).reduce((product, size) => product * size, 1);
  const columns = depth * width;
  const positions = new Int32Array(rows * columns);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) {
      const slice = Math.floor(column / width);
      positions[row * columns + column] = slice * rows * width + row * width + (column % width);
    }
  return { rows, columns, positions };
}

/** Weight of Conv, [out, in/groups, …kernel] (ONNX Conv). */
export function convBank(shape: readonly number[]): FilterBank {
  const [filters = 0, slices = 1, ...kernel] = shape;
  const layout = kernelPositions(kernel);
  const area = layout.positions.length;
  return {
    filters,
    slices,
    ...layout,
    sliceStride: area,
    filterOffset: filter => filter * slices * area,
  };
}

/** Weight of ConvTranspose, [in, out/groups, …kernel] (ONNX ConvTranspose), read as one filter for each output channel. */
export function transposedConvBank(shape: readonly number[], groups: number): FilterBank {
  const [inputs = 0, perGroup = 1, ...kernel] = shape;
  const layout = kernelPositions(kernel);
  const area = layout.positions.length;
  const slices = inputs / groups;
  return {
    filters: perGroup * groups,
    slices,
    ...layout,
    sliceStride: perGroup * area,
    filterOffset: filter =>
      (Math.floor(filter / perGroup) * slices * perGroup + (filter % perGroup)) * area,
  };
}

/** How the inputs of a linear unit are laid out; `channelsLast` where they are a flattened [rows, columns, slices]. */
export interface UnitLayout {
  readonly slices: number;
  readonly rows: number;
  readonly columns: number;
  readonly channelsLast: boolean;
}

/** Weight of a linear layer; `unitsLast` for [in, out] (MatMul), else [out, in] (Gemm with transB). */
export function linearBank(
  inputs: number,
  units: number,
  unitsLast: boolean,
  layout: UnitLayout,
): FilterBank {
  const { slices, rows, columns, channelsLast } = layout;
  const step = unitsLast ? units : 1;
  const area = rows * columns;
  const positionStep = channelsLast ? slices * step : step;
  return {
    filters: units,
    slices,
    rows,
    columns,
    sliceStride: channelsLast ? step : area * step,
    positions: Int32Array.from({ length: area }, (_, position) => position * positionStep),
    filterOffset: filter => (unitsLast ? filter : filter * inputs),
  };
}

/** Any other weight: one filter for each index of the first axis, the rest as a rectangle; vectors are one filter in one row. */
export function tableBank(shape: readonly number[]): FilterBank {
  const [filters = 1, ...rest] = shape.length > 1 ? shape : [1, shape[0] ?? 1];
  const inputs = rest.reduce((product, size) => product * size, 1);
  const layout = shape.length > 1 ? flatLayout(inputs) : { ...flatLayout(1), columns: inputs };
  return linearBank(inputs, filters, false, layout);
}

/** Matrices of a recurrent layer, [directions, gates · hidden, in]: one filter for each direction and gate. */
export function gateBank(shape: readonly number[], gates: number): FilterBank {
  const [directions = 1, stacked = 1, inputs = 1] = shape;
  const rows = stacked / gates;
  return {
    filters: directions * gates,
    slices: 1,
    rows,
    columns: inputs,
    sliceStride: rows * inputs,
    positions: Int32Array.from({ length: rows * inputs }, (_, position) => position),
    filterOffset: filter => filter * rows * inputs,
  };
}

/** Longest to shortest side of a rectangle that still reads as a picture. */
const WIDEST = 4;

/** Rows × columns of a flat vector: the factor pair nearest to a square, one row where there is none within 4 : 1. */
export function flatLayout(inputs: number): UnitLayout {
  for (let rows = Math.floor(Math.sqrt(inputs)); rows > 1; rows--)
    if (inputs % rows === 0 && inputs / rows <= WIDEST * rows)
      return { slices: 1, rows, columns: inputs / rows, channelsLast: false };
  return { slices: 1, rows: 1, columns: inputs, channelsLast: false };
}
