import { type Operators, otherAxes } from '../operators';
import type { InputGradient, Rule, RuleNode } from '../rule';
import { sentBack, standardised } from '../standardised';
import type { Value } from '../value';

/** y = (x − mean) · r · scale + b with r = 1 / √(var + ε), mean and var constants of each channel; in training mode (14) those of the batch. */
export const batchNormalization: Rule = {
  ops: ['BatchNormalization'],
  vjp: (n, e) => {
    if (n.int('training_mode', 0) !== 0) return inTraining(n, e);
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

/** The further outputs are running means and variances: momentum times what was there, and the rest from the batch. */
function inTraining(n: RuleNode, e: Operators): readonly (InputGradient | null)[] {
  const axes = otherAxes(n.x(), [1]);
  const shape = parameterShape(n);
  const momentum = n.float('momentum', 0.9);
  const share = (1 - momentum) / axes.reduce((count, axis) => count * (n.x().shape[axis] ?? 1), 1);
  const [g, ofMean, ofVariance] = [n.dyOf(0), n.dyOf(1), n.dyOf(2)];
  const batch = () => standardised(e, n.x(), axes, n.float('epsilon', 1e-5));
  const along = (value: Value): Value => e.reshape(value, shape);
  const distance = (): Value => e.sub(n.x(), e.reduceMean(n.x(), axes));
  const ofBatch = (): readonly Value[] => [
    ...(ofMean ? [e.expand(e.scale(along(ofMean), share), n.x().shape)] : []),
    ...(ofVariance ? [e.mul(e.scale(along(ofVariance), 2 * share), distance())] : []),
  ];
  return [
    () => e.sum([...(g ? [sentBack(e, e.mul(g, along(n.x(1))), batch())] : []), ...ofBatch()]),
    g && (() => summedTo(e, e.mul(g, batch().unit), shape, n.x(1).shape)),
    g && (() => summedTo(e, g, shape, n.x(2).shape)),
    ofMean && (() => e.scale(ofMean, momentum)),
    ofVariance && (() => e.scale(ofVariance, momentum)),
  ];
}

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
