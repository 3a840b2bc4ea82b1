import type { Node } from '../../onnx/graph';
import { dataTypeOf } from '../../onnx/dataTypes';
import type { Rule } from '../rule';
import { gradientType, isFloat } from '../value';

/** y = x. */
export const identity: Rule = { ops: ['Identity'], vjp: n => [() => n.dy] };

/** Dropout as inference runs it: y = x. With `training_mode` the values of a run are random, and so would be its derivative. */
export const dropout: Rule = {
  ops: ['Dropout'],
  known: [2],
  vjp: n => [
    () => {
      const training = n.numbers(2)?.[0] ?? 0;
      return training === 0 ? n.dy : n.refuse('it drops at random here (training_mode)');
    },
  ],
};

const castsToFloat = (node: Node): boolean => {
  const to = node.attributes.get('to');
  return to?.kind === 'int' && dataTypeOf(to.value).includes('float');
};

/** Between float types the gradient is cast back; what is cast to integers or masks is a constant of the run. */
export const cast: Rule = {
  ops: ['Cast'],
  constant: node => !castsToFloat(node),
  vjp: (n, e) => [() => e.cast(n.dy, gradientType(n.x().dtype) ?? n.dy.dtype)],
};

/** As Cast, to the type of the second input. */
export const castLike: Rule = {
  ops: ['CastLike'],
  vjp: (n, e) => [
    isFloat(n.y().dtype) ? () => e.cast(n.dy, gradientType(n.x().dtype) ?? n.dy.dtype) : null,
  ],
};
