import { addAlong, takeAlong } from '../indexing';
import type { Operators } from '../operators';
import type { Rule, RuleNode } from '../rule';
import {
  type Corner,
  cornersOf,
  placeOf,
  type Sampling,
  slopeOf,
  type Tap,
  tapsAt,
  weightOf,
} from '../sampling';
import type { Value } from '../value';

/**
 * y = Σ weight · x over the neighbours of each point of the grid [batch, …points, axes], the last axis of x named first. To x the gradient is
 * scattered; to the grid it goes through the slopes of the weights, which mode nearest has not.
 */
export const gridSample: Rule = {
  ops: ['GridSample'],
  vjp: (n, e) => [
    () => imageGradient(n, e),
    n.string('mode', 'linear') === 'nearest' ? null : () => gridGradient(n, e),
  ],
};

/** The neighbours of the points: along each axis of x, the first one first, all of shape [batch, 1, points]. */
interface Neighbours {
  readonly axes: readonly (readonly Tap[])[];
  readonly corners: readonly Corner[];
  /** Places in x read as [batch, channels, elements], corner by corner: [batch, channels, corners · points]. */
  readonly places: Value;
  /** d position / d coordinate of each axis. */
  readonly factors: readonly number[];
}

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);

function neighboursOf(n: RuleNode, e: Operators): Neighbours {
  const how: Sampling = {
    mode: n.string('mode', 'linear'),
    padding: n.string('padding_mode', 'zeros'),
    alignCorners: n.int('align_corners', 0) !== 0,
  };
  const [batch = 1, channels = 1, ...lengths] = n.x(0).shape;
  const points = product(n.x(1).shape.slice(1, -1));
  const grid = e.reshape(n.x(1), [batch, points, lengths.length]);
  const coordinates = e.split(grid, lengths.length, 2).toReversed();
  const factors = lengths.map(length => (how.alignCorners ? length - 1 : length) / 2);
  const axes = coordinates.map((coordinate, axis) => {
    const length = lengths[axis] ?? 1;
    const position = e.offset(e.scale(coordinate, factors[axis] ?? 1), (length - 1) / 2);
    return tapsAt(e, e.reshape(position, [batch, 1, points]), length, how);
  });
  const corners = cornersOf(axes);
  const places = corners.map(corner => placeOf(e, corner, lengths));
  const whole = e.expand(e.concat(places, 2), [batch, channels, corners.length * points]);
  return { axes, corners, places: whole, factors };
}

function imageGradient(n: RuleNode, e: Operators): Value {
  const { corners, places } = neighboursOf(n, e);
  const [batch = 1, channels = 1, ...lengths] = n.x(0).shape;
  const g = e.reshape(n.dy, [batch, channels, product(n.dy.shape.slice(2))]);
  const parts = corners.map(corner => e.mul(g, weightOf(e, corner)));
  const shape = [batch, channels, product(lengths)];
  return e.reshape(addAlong(n, e, e.concat(parts, 2), places, 2, shape), n.x(0).shape);
}

function gridGradient(n: RuleNode, e: Operators): Value {
  const { axes, corners, places, factors } = neighboursOf(n, e);
  const [batch = 1, channels = 1, ...lengths] = n.x(0).shape;
  const points = product(n.dy.shape.slice(2));
  const x = e.reshape(n.x(0), [batch, channels, product(lengths)]);
  const values = e.split(takeAlong(n, e, x, places, 2), corners.length, 2);
  const g = e.reshape(n.dy, [batch, channels, points]);
  const along = values.map(value => e.reduceSum(e.mul(value, g), [1]));
  const coordinates = axes.map((_, axis) => {
    const parts = corners.map((corner, at) => e.mul(along[at] ?? g, slopeOf(e, corner, axis)));
    return e.reshape(e.scale(e.sum(parts), factors[axis] ?? 1), [batch, points, 1]);
  });
  return e.reshape(e.concat(coordinates.toReversed(), 2), n.x(1).shape);
}
