import type { EmittedAttributes } from '../emitter';
import type { Operators } from '../operators';
import type { Value } from '../value';
import { activated } from './activation';
import { copied, type Rewrite } from './rewrite';

/** com.microsoft.FusedGemm: activation(α A B + β C). */
export const fusedGemm: Rewrite = {
  ops: ['com.microsoft.FusedGemm'],
  write: (n, e) => {
    const inputs = [n.x(0), n.x(1), n.has(2) ? n.x(2) : null] as const;
    const product = gemm(e, inputs, copied(n, ['alpha', 'beta', 'transA', 'transB']));
    const parameters = ['activation_alpha', 'activation_beta', 'activation_gamma'];
    const given = parameters.map(name => n.float(name, 0));
    const output = activated(e, product, n.string('activation', ''), given);
    return output && [output];
  },
};

/** com.microsoft.FusedMatMul where it turns batch axes (its other forms have a derivative of their own), and its old name: α A B. */
export const fusedMatMul: Rewrite = {
  ops: ['com.microsoft.FusedMatMul', 'com.microsoft.TransposeMatMul'],
  write: (n, e) => {
    const turns = n.int('transBatchA', 0) !== 0 || n.int('transBatchB', 0) !== 0;
    if (!turns && n.op === 'FusedMatMul') return null;
    const a = turned(e, n.x(0), n.int('transA', 0) !== 0, n.int('transBatchA', 0) !== 0);
    const b = turned(e, n.x(1), n.int('transB', 0) !== 0, n.int('transBatchB', 0) !== 0);
    return [e.scale(e.matMul(a, b), n.float('alpha', 1))];
  },
};

/** Gemm, of which C is optional from version 11 on only. */
export const gemm = (
  e: Operators,
  [a, b, c]: readonly [Value, Value, Value | null],
  attributes: EmittedAttributes,
): Value => e.node('Gemm', [a, b, c ?? (e.opset < 11 ? e.scalar(a, 0) : null)], attributes);

/** `batch`: axis 0 stands where the rows are, the axes of the batch behind it. `swap` swaps the last two axes then. */
function turned(e: Operators, x: Value, swap: boolean, batch: boolean): Value {
  const rank = x.shape.length;
  const axes = x.shape.map((_, axis) => axis);
  const moved = batch && rank > 2 ? [...axes.slice(1, -1), 0, rank - 1] : axes;
  const last = swap && rank > 1 ? [...moved.slice(0, -2), ...moved.slice(-2).reverse()] : moved;
  return e.transpose(x, last);
}
