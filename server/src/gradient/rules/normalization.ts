import { axisFrom0, type Operators, split3 } from '../operators';
import type { Rule, RuleNode } from '../rule';
import type { Value } from '../value';

/** x̂ = (x − mean) · r over some axes, and r, which has size 1 there. */
interface Standardised {
  readonly unit: Value;
  readonly inverse: Value;
  readonly axes: readonly number[];
}

/** r = 1 / √(variance + ε), the variance around the mean, or around 0 (`centred` false). */
function standardised(
  e: Operators,
  x: Value,
  axes: readonly number[],
  epsilon: number,
  centred = true,
): Standardised {
  const distance = centred ? e.sub(x, e.reduceMean(x, axes)) : x;
  const variance = e.reduceMean(e.square(distance), axes);
  const inverse = e.reciprocal(e.sqrt(e.offset(variance, epsilon)));
  return { unit: e.mul(distance, inverse), inverse, axes };
}

/** dx = r · (g − mean(g) − x̂ · mean(g · x̂)) for the gradient g of x̂; without mean(g) where x̂ is not centred. */
function sentBack(e: Operators, g: Value, { unit, inverse, axes }: Standardised, centred = true) {
  const along = e.mul(unit, e.reduceMean(e.mul(g, unit), axes));
  const rest = centred ? e.sub(g, e.reduceMean(g, axes)) : g;
  return e.mul(inverse, e.sub(rest, along));
}

/** Axes from one (that may count from the end) to the last. */
const axesFrom = (x: Value, first: number): readonly number[] =>
  x.shape.flatMap((_, axis) => (axis >= axisFrom0(first, x.shape.length) ? [axis] : []));

/** y = x̂ · scale + b over the axes from `axis` on. */
export const layerNormalization: Rule = {
  ops: ['LayerNormalization'],
  vjp: (n, e) => lastAxes(n, e, true),
};

/** y = x / √(mean(x²) + ε) · scale; SimplifiedLayerNormalization is how ONNX Runtime writes it. */
export const rmsNormalization: Rule = {
  ops: ['RMSNormalization', 'SimplifiedLayerNormalization'],
  vjp: (n, e) => lastAxes(n, e, false),
};

function lastAxes(n: RuleNode, e: Operators, centred: boolean) {
  const axes = axesFrom(n.x(), n.int('axis', -1));
  const forward = () => standardised(e, n.x(), axes, n.float('epsilon', 1e-5), centred);
  return [
    () => sentBack(e, e.mul(n.dy, n.x(1)), forward(), centred),
    () => e.sumTo(e.mul(n.dy, forward().unit), n.x(1).shape),
    () => e.sumTo(n.dy, n.x(2).shape),
  ];
}

/** y = x̂ · scale + b over the positions of each channel. */
export const instanceNormalization: Rule = {
  ops: ['InstanceNormalization'],
  vjp: (n, e) => grouped(n, e, n.x().shape[1] ?? 1),
};

/** y = x̂ · scale + b over groups of channels and all positions; scale and b by group in version 18, by channel since 21. */
export const groupNormalization: Rule = {
  ops: ['GroupNormalization'],
  vjp: (n, e) => grouped(n, e, n.int('num_groups', 1)),
};

/** The tensor is read as [batch, groups, parameters of a group, what is left]. */
function grouped(n: RuleNode, e: Operators, groups: number) {
  const { outer, inner } = split3(n.x().shape, 1);
  const channels = n.x().shape[1] ?? 1;
  const parameters = n.x(1).shape[0] ?? 1;
  const perGroup = parameters / groups;
  const shape = [outer, groups, perGroup, (channels * inner) / parameters];
  const g = () => e.reshape(n.dy, shape);
  const forward = () => standardised(e, e.reshape(n.x(), shape), [2, 3], n.float('epsilon', 1e-5));
  return [
    () => {
      const scale = e.reshape(n.x(1), [1, groups, perGroup, 1]);
      return e.reshape(sentBack(e, e.mul(g(), scale), forward()), n.x().shape);
    },
    () => e.reshape(e.reduceSum(e.mul(g(), forward().unit), [0, 3]), n.x(1).shape),
    () => e.reshape(e.reduceSum(g(), [0, 3]), n.x(2).shape),
  ];
}

/** y = (x − mean) / deviation over `axes`. */
export const meanVarianceNormalization: Rule = {
  ops: ['MeanVarianceNormalization'],
  vjp: (n, e) => [
    () => {
      const axes = (n.ints('axes') ?? [0, 2, 3]).map(axis => axisFrom0(axis, n.x().shape.length));
      return sentBack(e, n.dy, standardised(e, n.x(), axes, 0));
    },
  ],
};
