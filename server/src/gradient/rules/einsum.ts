import { type EinsumEquation, readEinsum } from '../../onnx/shapes/einsumEquation';
import type { Operators } from '../operators';
import type { Rule, RuleNode } from '../rule';
import type { Value } from '../value';

/**
 * Sums of products by an equation. The gradient of an operand is the equation with that operand and the output exchanged: dy times the other
 * operands, summed over what the operand has no axis for. Letters that only the operand has are repeated along its axis, and letters that
 * it has twice make a diagonal.
 */
export const einsum: Rule = {
  ops: ['Einsum'],
  vjp: (n, e) => {
    const operands = Array.from({ length: n.inputCount }, (_, i) => n.x(i));
    const equation = readEinsum(
      n.string('equation', ''),
      operands.map(operand => operand.shape.length),
    );
    if (equation === null) return n.refuse('its equation does not fit its operands');
    return operands.map((_, i) => () => operandGradient(n, e, equation, i));
  },
};

function operandGradient(n: RuleNode, e: Operators, equation: EinsumEquation, i: number): Value {
  const { terms, output } = equation;
  const term = terms[i] ?? '';
  const others = terms.flatMap((_, j) => (j === i ? [] : [j]));
  const given = [output, ...others.map(j => terms[j] ?? '')];
  const letters = [...new Set(term)];
  const found = letters.filter(letter => given.some(other => other.includes(letter)));
  const product = contracted(e, [n.dy, ...others.map(j => n.x(j))], given, found);
  const sizes = letters.map(letter => n.x(i).shape[term.indexOf(letter)] ?? 1);
  const reached = letters.map(letter => product.shape[found.indexOf(letter)] ?? 1);
  const summed = e.sumTo(
    e.reshape(product, reached),
    reached.map((size, axis) => Math.min(size, sizes[axis] ?? 1)),
  );
  return onDiagonals(e, e.expand(summed, sizes), term, letters);
}

/** Σ of the product of these tensors over all letters that are not wanted. */
function contracted(
  e: Operators,
  values: readonly Value[],
  terms: readonly string[],
  wanted: readonly string[],
): Value {
  const [only] = values;
  if (only && values.length === 1)
    return e.transpose(
      only,
      wanted.map(letter => (terms[0] ?? '').indexOf(letter)),
    );
  return e.node('Einsum', values, { equation: `${terms.join()}->${wanted.join('')}` });
}

/** From one axis for each letter to the axes of a term: where it has a letter again, everything off the diagonal is 0. */
function onDiagonals(e: Operators, value: Value, term: string, letters: readonly string[]): Value {
  if (letters.length === term.length) return value;
  const isFirst = [...term].map((letter, axis) => term.indexOf(letter) === axis);
  const size = (axis: number): number => value.shape[letters.indexOf(term[axis] ?? '')] ?? 1;
  const spread = e.reshape(
    value,
    isFirst.map((first, axis) => (first ? size(axis) : 1)),
  );
  return isFirst.reduce((spreading, first, axis) => {
    if (first) return spreading;
    const length = size(axis);
    const diagonal = Array.from({ length: length ** 2 }, (_, k) => Number(k % (length + 1) === 0));
    const shape = isFirst.map((_, other) =>
      other === axis || other === term.indexOf(term[axis] ?? '') ? length : 1,
    );
    return e.mul(spreading, e.floats(value.dtype, shape, diagonal));
  }, spread);
}
