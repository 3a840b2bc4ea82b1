import type { Operators } from '../operators';
import type { InputGradient, Rule, RuleNode } from '../rule';

/** y = alpha · A · B + beta · C, with A and B transposed first where the attributes say so, and C broadcast or left out. */
export const gemm: Rule = { ops: ['Gemm'], vjp: gemmGradients };

function gemmGradients(n: RuleNode, e: Operators): readonly InputGradient[] {
  const { dy } = n;
  const [a, b] = [n.x(0), n.x(1)];
  const transA = n.int('transA', 0) !== 0;
  const transB = n.int('transB', 0) !== 0;
  const factor = n.float('alpha', 1);
  return [
    () =>
      transA
        ? e.gemm(b, dy, { transA: transB, transB: true, factor })
        : e.gemm(dy, b, { transA: false, transB: !transB, factor }),
    () =>
      transB
        ? e.gemm(dy, a, { transA: true, transB: transA, factor })
        : e.gemm(a, dy, { transA: !transA, transB: false, factor }),
    () => e.scale(e.sumTo(dy, n.x(2).shape), n.float('beta', 1)),
  ];
}
