import type { Rule } from '../rule';

/**
 * Operators whose outputs do not change with small changes of their inputs: rounding, comparisons, logic, places of extremes.
 */
export const constants: Rule = {
  ops: [
    ...['Floor', 'Ceil', 'Round', 'Sign', 'Hardmax'],
    ...['Equal', 'Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual', 'IsInf', 'IsNaN'],
    ...[
      'And',
      'Or',
      'Xor',
      'Not',
      'BitShift',
      'BitwiseAnd',
      'BitwiseNot',
      'BitwiseOr',
      'BitwiseXor',
    ],
    ...['ArgMax', 'ArgMin', 'NonMaxSuppression'],
  ],
  constant: () => true,
  vjp: () => [],
};
