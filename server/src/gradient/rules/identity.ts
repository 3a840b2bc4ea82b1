import type { Node } from '../../onnx/graph';
import { dataTypeOf } from '../../onnx/dataTypes';
import type { Rule } from '../rule';
import { gradientType, isFloat } from '../value';

/** y = x. Of OptionalGetElement that is so for tensors; optionals are refused before. */
export const identity: Rule = { ops: ['Identity', 'OptionalGetElement'], vjp: n => [() => n.dy] };

/**
 * Dropout as inference runs it: y = x. With `training_mode`, and a ratio other than 0, the values of a run are random, and so would be its
 * derivative.
 */
export const dropout: Rule = {
  ops: ['Dropout'],
  known: [1, 2],
  vjp: n => [
    () => {
      const [ratio = 0.5] = n.numbers(1) ?? [];
      const [training = 0] = n.numbers(2) ?? [];
      const drops = training !== 0 && ratio !== 0;
      return drops ? n.refuse('it drops at random here (training_mode)') : n.dy;
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
  carrying: [0],
  vjp: (n, e) => [
    isFloat(n.y().dtype) ? () => e.cast(n.dy, gradientType(n.x().dtype) ?? n.dy.dtype) : null,
  ],
};
