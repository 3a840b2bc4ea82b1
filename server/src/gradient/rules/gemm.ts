import type { Operators } from '../operators';
import type { InputGradient, Rule, RuleNode } from '../rule';
import type { Value } from '../value';

/** y = alpha · A · B + beta · C, with A and B transposed first where the attributes say so, and C broadcast or left out. */
export const gemm: Rule = {
  ops: ['Gemm'],
  vjp: (n, e) => gemmGradients(n, e, n.dy),
};

/** com.microsoft.FusedGemm: Gemm and an activation of which the slope follows from the output. */
export const fusedGemm: Rule = {
  ops: ['com.microsoft.FusedGemm'],
  vjp: (n, e) => gemmGradients(n, e, beforeActivation(n, e)),
};

function beforeActivation(n: RuleNode, e: Operators): Value {
  const y = n.y();
  const activation = n.text('activation', '');
  switch (activation) {
    case '':
      return n.dy;
    case 'Relu':
      return n.mode === 'gradient'
        ? e.mul(n.dy, e.sign(y))
        : n.refuse('its Relu is part of it: optimise the model less, or use the plain gradient');
    case 'Sigmoid':
      return e.mul(n.dy, e.mul(y, e.sub(e.scalar(y, 1), y)));
    case 'Tanh':
      return e.mul(n.dy, e.sub(e.scalar(y, 1), e.square(y)));
    default:
      return n.refuse(`its activation ${activation} has no rule here`);
  }
}

function gemmGradients(n: RuleNode, e: Operators, dy: Value): readonly InputGradient[] {
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
