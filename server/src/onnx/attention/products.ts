import { intAttribute } from '../constantShapes';
import type { Node } from '../graph';
import { readEinsum } from '../shapes/einsumEquation';
import type { GraphView } from './graphView';

/** A product of two tensors that sums over axes that both have, written like an Einsum: a letter for each axis. */
export interface Product {
  readonly node: Node;
  readonly operands: readonly [string, string];
  readonly terms: readonly [string, string];
  readonly output: string;
}

/** Where the operands of the matrix products are among the inputs. */
const MATRIX_PRODUCTS: ReadonlyMap<string, readonly [number, number]> = new Map([
  ['MatMul', [0, 1]],
  ['MatMulInteger', [0, 1]],
  ['QLinearMatMul', [0, 3]],
  ['com.microsoft.FusedMatMul', [0, 1]],
  ['com.microsoft.MatMulIntegerToFloat', [0, 1]],
  ['com.microsoft.DynamicQuantizeMatMul', [0, 1]],
]);

/** For a product whose ranks nobody tells: batch, heads, rows, columns. */
const USUAL_RANK = 4;
const BATCH_LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** The product that a node is; null for all other operators, and for products of other forms. */
export function productOf(view: GraphView, node: Node): Product | null {
  if (node.domain === '' && node.op === 'Einsum') return einsum(view, node);
  if (node.domain === '' && node.op === 'Gemm') return gemm(node);
  const name = node.domain === '' ? node.op : `${node.domain}.${node.op}`;
  const places = MATRIX_PRODUCTS.get(name);
  if (!places) return null;
  const a = node.inputs[places[0]] ?? '';
  const b = node.inputs[places[1]] ?? '';
  const ranks = [view.rank(a), view.rank(b), view.rank(node.outputs[0] ?? '')];
  const usual = Math.max(2, ...ranks.map(rank => rank ?? 0)) || USUAL_RANK;
  const open = ranks.every(rank => rank === null) ? USUAL_RANK : usual;
  const [rankA, rankB] = [ranks[0] ?? open, ranks[1] ?? open];
  if (rankA < 2 || rankB < 2) return null;
  const batch = BATCH_LETTERS.slice(0, Math.max(rankA, rankB) - 2);
  // with transBatch the axis of the rows stands in front of the batch
  const term = (side: 'A' | 'B', rank: number, letters: string): string => {
    const own = batch.slice(batch.length - (rank - 2));
    const [first = '', last = ''] = intAttribute(node, `trans${side}`, 0)
      ? [...letters].reverse()
      : letters;
    return intAttribute(node, `transBatch${side}`, 0) ? first + own + last : own + first + last;
  };
  return {
    node,
    operands: [a, b],
    terms: [term('A', rankA, 'mk'), term('B', rankB, 'kn')],
    output: `${batch}mn`,
  };
}

function gemm(node: Node): Product {
  return {
    node,
    operands: [node.inputs[0] ?? '', node.inputs[1] ?? ''],
    terms: [
      intAttribute(node, 'transA', 0) ? 'km' : 'mk',
      intAttribute(node, 'transB', 0) ? 'nk' : 'kn',
    ],
    output: 'mn',
  };
}

function einsum(view: GraphView, node: Node): Product | null {
  const equation = node.attributes.get('equation');
  const [a, b, ...more] = node.inputs;
  if (equation?.kind !== 'string' || a === undefined || b === undefined || more.length > 0)
    return null;
  const read = readEinsum(equation.value, [view.rank(a), view.rank(b)]);
  const [first, second] = read?.terms ?? [];
  if (!read || first === undefined || second === undefined) return null;
  const repeats = [first, second, read.output].some(term => new Set(term).size < term.length);
  return repeats ? null : { node, operands: [a, b], terms: [first, second], output: read.output };
}

/** The letter of an axis that counts from the end; '' where the term is shorter. */
export const letterAt = (term: string, axis: number): string => term.at(axis) ?? '';

/** The axis of a letter, from the end; null where the term does not have it. */
export function axisOfLetter(term: string, letter: string): number | null {
  const at = term.indexOf(letter);
  return at < 0 ? null : at - term.length;
}

/** The letters that a product sums over. */
export const summedLetters = ({ terms: [a, b], output }: Product): readonly string[] =>
  [...a].filter(letter => b.includes(letter) && !output.includes(letter));

const CONVOLUTIONS: ReadonlySet<string> = new Set([
  'Conv',
  'ConvInteger',
  'QLinearConv',
  'FusedConv',
  'NhwcConv',
]);
const WEIGHTED_PRODUCTS: ReadonlySet<string> = new Set(['MatMulNBits', 'MatMulBnb4', 'QGemm']);

/**
 * The tensor that a layer with weights projects: the data input of a convolution, or the operand of a product whose other operand is a constant.
 * Null where the node is no such layer. Some constants are no weights but one side of a product of their own (learned queries): those that share
 * an axis with the data and the result, and matrices with batch axes on the left.
 */
export function projected(view: GraphView, node: Node): string | null {
  if (CONVOLUTIONS.has(node.op) || WEIGHTED_PRODUCTS.has(node.op)) return node.inputs[0] ?? null;
  const product = productOf(view, node);
  if (!product) return null;
  const [a, b] = product.operands;
  if (view.varies(a) === view.varies(b)) return null;
  if (view.varies(a)) return sharesAxis(product, view) ? null : a;
  return (view.rank(a) ?? 2) > 2 ? null : b;
}

/** True where the second operand has an axis longer than 1 that the first operand and the result have too. */
const sharesAxis = ({ terms: [a, b], output, operands }: Product, view: GraphView): boolean =>
  [...b].some(
    (letter, at) =>
      a.includes(letter) && output.includes(letter) && view.size(operands[1], at - b.length) !== 1,
  );
