import type { Operators } from '../operators';
import type { Rule, RuleNode } from '../rule';
import type { Value } from '../value';

/** y = (x − mean) · r · scale + b with r = 1 / √(var + ε), mean and var constants of each channel (inference). */
export const batchNormalization: Rule = {
  ops: ['BatchNormalization'],
  vjp: (n, e) => {
    if (n.int('training_mode', 0) !== 0) n.refuse('it runs in training mode');
    const shape = parameterShape(n);
    const of = (index: number): Value => e.reshape(n.x(index), shape);
    const inverse = (): Value => e.reciprocal(e.sqrt(e.offset(of(4), n.float('epsilon', 1e-5))));
    const summed = (g: Value, index: number): Value => summedTo(e, g, shape, n.x(index).shape);
    const centred = (): Value => e.sub(n.x(), of(3));
    return [
      () => e.mul(n.dy, e.mul(of(1), inverse())),
      () => summed(e.mul(n.dy, e.mul(centred(), inverse())), 1),
      () => summed(n.dy, 2),
      () => summed(e.neg(e.mul(n.dy, e.mul(of(1), inverse()))), 3),
      () => {
        const cubed = e.mul(inverse(), e.square(inverse()));
        return summed(e.scale(e.mul(e.mul(n.dy, centred()), e.mul(of(1), cubed)), -0.5), 4);
      },
    ];
  },
};

/** [1, channels, 1, …], or a parameter for each element (`spatial` 0, before version 9). */
function parameterShape(n: RuleNode): readonly number[] {
  const { shape } = n.x();
  const byElement = n.version < 9 && n.int('spatial', 1) === 0;
  return shape.map((size, axis) => (axis === 1 || (byElement && axis > 1) ? size : 1));
}

function summedTo(
  e: Operators,
  g: Value,
  kept: readonly number[],
  shape: readonly number[],
): Value {
  const axes = kept.flatMap((size, axis) => (size === 1 ? [axis] : []));
  return e.reshape(e.reduceSum(g, axes), shape);
}
