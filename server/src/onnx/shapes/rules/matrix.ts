import type { Dimension } from '../../../../../protocol/model';
import { broadcast, type Shape } from '../dimensions';
import { readEinsum } from '../einsumEquation';
import { type NodeView, type Rule, tensor } from '../rule';

/** Shape of A · B as numpy.matmul has it: leading axes broadcast, a vector's added axis is taken away again. */
export function matrixProduct(a: Shape | null, b: Shape | null): Shape | null {
  if (a === null || b === null || a.length === 0 || b.length === 0) return null;
  const batch = broadcast([a.slice(0, -2), b.slice(0, -2)]);
  if (batch === null) return null;
  const rows = a.length > 1 ? [a.at(-2) ?? null] : [];
  const columns = b.length > 1 ? [b.at(-1) ?? null] : [];
  return [...batch, ...rows, ...columns];
}

export const matrixMultiplication: Rule = node => [
  tensor(node.dtype(0), matrixProduct(node.shape(0), node.shape(1))),
];

export const matrixMultiplicationInteger: Rule = node => [
  tensor('int32', matrixProduct(node.shape(0), node.shape(1))),
];

/** QLinearMatMul: B is input 3; the output has the type of its zero point, input 7. */
export const quantizedMatrixMultiplication: Rule = node => [
  tensor(node.dtype(7), matrixProduct(node.shape(0), node.shape(3))),
];

const swapped = (shape: Shape | null, swap: boolean): Shape | null =>
  swap && shape !== null && shape.length >= 2
    ? [...shape.slice(0, -2), shape.at(-1) ?? null, shape.at(-2) ?? null]
    : shape;

function gemmShape(node: NodeView, weight: number): Shape | null {
  const a = swapped(node.shape(0), node.int('transA', 0) !== 0);
  const b = swapped(node.shape(weight), node.int('transB', 0) !== 0);
  const rows: Dimension = a?.[0] ?? null;
  const columns: Dimension = b?.[1] ?? null;
  return [rows, columns];
}

export const gemm: Rule = node => [tensor(node.dtype(0), gemmShape(node, 1))];

/** com.microsoft.QGemm: B is input 3; quantised output where there is a zero point (input 8), else float. */
export const quantizedGemm: Rule = node => [
  tensor(node.has(8) ? node.dtype(8) : 'float32', gemmShape(node, 3)),
];

/** com.microsoft.FusedMatMul (`transBatchA`/`transBatchB` are left open). */
export const fusedMatrixMultiplication: Rule = node => {
  const plain = node.int('transBatchA', 0) === 0 && node.int('transBatchB', 0) === 0;
  const a = swapped(node.shape(0), node.int('transA', 0) !== 0);
  const b = swapped(node.shape(1), node.int('transB', 0) !== 0);
  return [tensor(node.dtype(0), plain ? matrixProduct(a, b) : null)];
};

/** com.microsoft.DynamicQuantizeMatMul and MatMulIntegerToFloat. */
export const floatMatrixMultiplication: Rule = node => [
  tensor('float32', matrixProduct(node.shape(0), node.shape(1))),
];

/** com.microsoft.MatMulNBits: A [..., K] · packed B with `N` columns. */
export const packedMatrixMultiplication: Rule = node => {
  const shape = node.shape(0);
  return [tensor(node.dtype(0), shape === null ? null : [...shape.slice(0, -1), node.int('N', 0)])];
};

/** Det: the last two axes go. */
export const determinant: Rule = node => [
  tensor(node.dtype(0), node.shape(0)?.slice(0, -2) ?? null),
];

/** Einsum: the size of each letter is its largest, since axes of size 1 broadcast. */
export const einsum: Rule = node => {
  const type = node.dtype(0);
  const text = node.string('equation', '');
  const ranks = Array.from(
    { length: node.inputCount },
    (_, index) => node.shape(index)?.length ?? null,
  );
  const equation = text.length > MOST_LETTERS ? null : readEinsum(text, ranks);
  if (equation === null) return [tensor(type, null)];
  const sizes = new Map<string, Dimension>();
  for (const [index, term] of equation.terms.entries())
    for (const [axis, letter] of [...term].entries()) {
      const known = sizes.get(letter) ?? null;
      if (known === null || known === 1) sizes.set(letter, node.sizeAt(index, axis));
    }
  return [
    tensor(
      type,
      [...equation.output].map(letter => sizes.get(letter) ?? null),
    ),
  ];
};

/** Longer equations than any operator needs are not read. */
const MOST_LETTERS = 1000;
