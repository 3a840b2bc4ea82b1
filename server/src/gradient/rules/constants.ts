import type { Rule } from '../rule';

/**
 * Operators whose outputs do not change with small changes of their inputs (rounding, comparisons, logic, places of extremes, sizes) or do not
 * depend on the values of their inputs at all (random numbers, filled tensors).
 */
export const constants: Rule = {
  ops: [
    ...['Floor', 'Ceil', 'Round', 'Sign', 'Hardmax'],
    ...['Equal', 'Greater', 'GreaterOrEqual', 'Less', 'LessOrEqual', 'IsInf', 'IsNaN'],
    ...['And', 'Or', 'Xor', 'Not'],
    ...['BitShift', 'BitwiseAnd', 'BitwiseNot', 'BitwiseOr', 'BitwiseXor'],
    ...['ArgMax', 'ArgMin', 'NonMaxSuppression', 'NonZero', 'Shape', 'Size'],
    ...['ConstantOfShape', 'EyeLike', 'RandomNormalLike', 'RandomUniformLike'],
    ...['Bernoulli', 'Multinomial'],
  ],
  constant: () => true,
  vjp: () => [],
};
