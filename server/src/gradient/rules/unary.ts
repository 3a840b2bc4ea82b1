import type { Operators } from '../operators';
import type { Rule, RuleNode } from '../rule';
import type { Value } from '../value';

/** dy · f′(x) by operator: from y where that is cheaper. At kinks and poles as PyTorch has it: |x|′ is 0 at 0, √x has an infinite slope there. */
const GRADIENTS: readonly (readonly [string, (n: RuleNode, e: Operators) => Value])[] = [
  ['Abs', (n, e) => e.mul(n.dy, e.sign(n.x()))],
  ['Neg', (n, e) => e.neg(n.dy)],
  ['Exp', (n, e) => e.mul(n.dy, n.y())],
  ['Log', (n, e) => e.div(n.dy, n.x())],
  ['Sqrt', (n, e) => e.div(n.dy, e.scale(n.y(), 2))],
  ['Reciprocal', (n, e) => e.neg(e.mul(n.dy, e.square(n.y())))],
  ['Sin', (n, e) => e.mul(n.dy, e.node('Cos', [n.x()]))],
  ['Cos', (n, e) => e.neg(e.mul(n.dy, e.node('Sin', [n.x()])))],
  ['Tan', (n, e) => e.mul(n.dy, e.offset(e.square(n.y()), 1))],
  ['Asin', (n, e) => e.div(n.dy, e.sqrt(oneMinusSquare(e, n.x())))],
  ['Acos', (n, e) => e.neg(e.div(n.dy, e.sqrt(oneMinusSquare(e, n.x()))))],
  ['Atan', (n, e) => e.div(n.dy, e.offset(e.square(n.x()), 1))],
  ['Sinh', (n, e) => e.mul(n.dy, e.node('Cosh', [n.x()]))],
  ['Cosh', (n, e) => e.mul(n.dy, e.node('Sinh', [n.x()]))],
  ['Tanh', (n, e) => e.mul(n.dy, oneMinusSquare(e, n.y()))],
  ['Asinh', (n, e) => e.div(n.dy, e.sqrt(e.offset(e.square(n.x()), 1)))],
  ['Acosh', (n, e) => e.div(n.dy, e.sqrt(e.neg(oneMinusSquare(e, n.x()))))],
  ['Atanh', (n, e) => e.div(n.dy, oneMinusSquare(e, n.x()))],
  ['Erf', (n, e) => e.mul(n.dy, e.scale(e.exp(e.neg(e.square(n.x()))), 2 / Math.sqrt(Math.PI)))],
  ['Sigmoid', (n, e) => e.mul(n.dy, e.mul(n.y(), oneMinus(e, n.y())))],
  ['Softplus', (n, e) => e.mul(n.dy, e.node('Sigmoid', [n.x()]))],
  ['Softsign', (n, e) => e.div(n.dy, e.square(e.offset(e.abs(n.x()), 1)))],
];

/** Functions of one tensor, element by element, without parameters. */
export const unary: readonly Rule[] = GRADIENTS.map(([op, gradient]) => ({
  ops: [op],
  vjp: (n, e) => [() => gradient(n, e)],
}));

/** 1 − a. */
export const oneMinus = (e: Operators, a: Value): Value => e.sub(e.scalar(a, 1), a);

/** 1 − a², as a product that keeps its digits near ±1. */
const oneMinusSquare = (e: Operators, a: Value): Value => e.mul(oneMinus(e, a), e.offset(a, 1));
