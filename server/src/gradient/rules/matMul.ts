import type { Operators } from '../operators';
import type { InputGradient, Rule, RuleNode } from '../rule';
import type { Value } from '../value';

/** A · B as numpy.matmul has it: leading axes broadcast; a vector is a row on the left and a column on the right. */
export const matMul: Rule = {
  ops: ['MatMul'],
  vjp: (n, e) => productGradients(e, n.x(0), n.x(1), n.dy),
};

/** com.microsoft.FusedMatMul: alpha · A · B, with the last two axes of either swapped first. */
export const fusedMatMul: Rule = {
  ops: ['com.microsoft.FusedMatMul'],
  vjp: (n, e) => {
    if (n.int('transBatchA', 0) !== 0 || n.int('transBatchB', 0) !== 0)
      n.refuse('it transposes batch axes');
    const swaps = [swapOf(n, e, 'transA', 0), swapOf(n, e, 'transB', 1)] as const;
    const dy = e.scale(n.dy, n.float('alpha', 1));
    const [da, db] = productGradients(e, swaps[0](n.x(0)), swaps[1](n.x(1)), dy);
    return [() => swaps[0](da()), () => swaps[1](db())];
  },
};

function swapOf(n: RuleNode, e: Operators, attribute: string, index: number) {
  const swaps = n.int(attribute, 0) !== 0 && n.x(index).shape.length > 1;
  return (value: Value): Value => (swaps ? e.swapLast(value) : value);
}

/** The gradients of A and B from that of A · B: dy · Bᵀ and Aᵀ · dy, summed over the axes that broadcast. */
function productGradients(
  e: Operators,
  a: Value,
  b: Value,
  dy: Value,
): readonly [InputGradient, InputGradient] {
  const [rows, inner = 1] = a.shape.length === 1 ? [1, a.shape[0]] : a.shape.slice(-2);
  const columns = b.shape.length === 1 ? 1 : (b.shape.at(-1) ?? 1);
  const left = [...a.shape.slice(0, -2), rows ?? 1, inner];
  const right = [...b.shape.slice(0, -2), inner, columns];
  const batch = dy.shape.slice(0, Math.max(left.length, right.length) - 2);
  const product = e.reshape(dy, [...batch, rows ?? 1, columns]);
  return [
    () => {
      const da = e.matMul(product, e.swapLast(e.reshape(b, right)));
      return e.reshape(e.sumTo(da, left), a.shape);
    },
    () => e.reshape(rightGradient(e, e.reshape(a, left), product, right), b.shape),
  ];
}

/** Aᵀ · dy. A matrix that all of a batch is multiplied with takes one product of the batch's rows instead of a sum of products. */
function rightGradient(e: Operators, a: Value, dy: Value, shape: readonly number[]): Value {
  if (shape.length > 2 || a.shape.length === 2) return e.sumTo(e.matMul(e.swapLast(a), dy), shape);
  const flat = (value: Value): Value => {
    const width = value.shape.at(-1) ?? 1;
    return e.reshape(value, [value.shape.slice(0, -1).reduce((p, q) => p * q, 1), width]);
  };
  return e.matMul(e.swapLast(flat(a)), flat(dy));
}
