import { axisFrom0, type Operators, split3 } from '../operators';
import type { InputGradient, Rule, RuleNode } from '../rule';
import { sentBack, type Standardised, standardised } from '../standardised';
import type { Value } from '../value';

/** Axes from one (that may count from the end) to the last. */
const axesFrom = (x: Value, first: number): readonly number[] =>
  x.shape.flatMap((_, axis) => (axis >= axisFrom0(first, x.shape.length) ? [axis] : []));

/** y = x̂ · scale + b over the axes from `axis` on; mean and r are outputs too. */
export const layerNormalization: Rule = {
  ops: ['LayerNormalization'],
  vjp: (n, e) => lastAxes(n, e, true),
};

/** y = x / √(mean(x²) + ε) · scale; SimplifiedLayerNormalization is how ONNX Runtime writes it, with r as an output too. */
export const rmsNormalization: Rule = {
  ops: ['RMSNormalization', 'SimplifiedLayerNormalization'],
  vjp: (n, e) => lastAxes(n, e, false),
};

function lastAxes(n: RuleNode, e: Operators, centred: boolean): readonly (InputGradient | null)[] {
  const axes = axesFrom(n.x(), n.int('axis', -1));
  const forward = () => standardised(e, n.x(), axes, n.float('epsilon', 1e-5), centred);
  const isUsed = n.dyOf(0) !== null;
  return [
    () => {
      const value = forward();
      const [ofMean, ofInverse] = centred ? [n.dyOf(1), n.dyOf(2)] : [null, n.dyOf(1)];
      const parts = [
        ...(isUsed ? [sentBack(e, e.mul(n.dy, n.x(1)), value, centred)] : []),
        ...statisticGradients(e, n.x(), value, ofMean, ofInverse),
      ];
      return e.sum(parts);
    },
    isUsed ? () => e.sumTo(e.mul(n.dy, forward().unit), n.x(1).shape) : null,
    isUsed ? () => e.sumTo(n.dy, n.x(2).shape) : null,
  ];
}

/** What the mean and r send back where the model uses them: d mean = dx / count, d r = −r² · x̂ · dx / count. */
function statisticGradients(
  e: Operators,
  x: Value,
  { unit, inverse, axes }: Standardised,
  ofMean: Value | null,
  ofInverse: Value | null,
): readonly Value[] {
  const share = 1 / axes.reduce((count, axis) => count * (x.shape[axis] ?? 1), 1);
  const mean = (g: Value): Value => e.expand(e.scale(e.cast(g, x.dtype), share), x.shape);
  const inverted = (g: Value): Value =>
    e.mul(e.mul(e.scale(e.cast(g, x.dtype), -share), e.square(inverse)), unit);
  return [...(ofMean ? [mean(ofMean)] : []), ...(ofInverse ? [inverted(ofInverse)] : [])];
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
