import type { Operators } from '../operators';
import type { Rule, RuleNode } from '../rule';
import type { Value } from '../value';

/**
 * y[r] = Wy[r] · x[batch index of r] · Wx[r]ᵀ for each region r, where row p of W is the mean of the bilinear weights of bin p's sampling points
 * along an axis: the points of a bin are a grid. Mode avg only; regions count as constants, as in torchvision.
 */
export const roiAlign: Rule = {
  ops: ['RoiAlign'],
  vjp: (n, e) => [
    () => {
      if (n.string('mode', 'avg') !== 'avg')
        n.refuse('it pools the largest of interpolated values');
      const [batch = 1, channels = 1, height = 1, width = 1] = n.x(0).shape;
      const [regions = 0, , binsY = 1, binsX = 1] = n.y().shape;
      const columns = weightsOf(n, e, 0, width, binsX);
      const rows = weightsOf(n, e, 1, height, binsY);
      const wide = e.matMul(n.dy, e.reshape(columns, [regions, 1, binsX, width]));
      // regions and bins are summed over in one product, rows spread over the images of the batch
      const images = e.ints([...Array(batch).keys()]);
      const isOf = e.equal(e.reshape(n.x(2), [regions, 1]), images);
      const spread = e.mul(
        e.reshape(rows, [regions, binsY, 1, height]),
        e.reshape(e.asNumber(isOf, n.dy.dtype), [regions, 1, batch, 1]),
      );
      const sums = e.matMul(
        e.swapLast(e.reshape(spread, [regions * binsY, batch * height])),
        e.reshape(e.transpose(wide, [0, 2, 1, 3]), [regions * binsY, channels * width]),
      );
      const whole = e.reshape(sums, [batch, height, channels, width]);
      return e.transpose(whole, [0, 2, 1, 3]);
    },
  ],
};

/**
 * [regions, bins, length] along axis x (0) or y (1). Where the number of points of a bin follows from the region's size, as many are computed
 * as a region of twice the length of the axis has.
 */
function weightsOf(n: RuleNode, e: Operators, axis: 0 | 1, length: number, bins: number): Value {
  const [regions = 0] = n.x(1).shape;
  const halfPixel =
    n.version >= 16 && n.string('coordinate_transformation_mode', 'half_pixel') === 'half_pixel';
  const edge = (index: number): Value => {
    const column = e.reshape(e.gatherConstant(n.x(1), [index], 1), [regions, 1, 1, 1]);
    return e.offset(e.scale(column, n.float('spatial_scale', 1)), halfPixel ? -0.5 : 0);
  };
  const start = edge(axis);
  const extent = e.sub(edge(axis + 2), start);
  const one = e.scalar(start, 1);
  const size = e.scale(halfPixel ? extent : e.node('Max', [extent, one]), 1 / bins);
  const ratio = n.int('sampling_ratio', 0);
  const points = ratio > 0 ? e.scalar(start, ratio) : e.node('Ceil', [size]);
  const divisor = ratio > 0 ? points : e.node('Max', [points, one]);
  const most = ratio > 0 ? ratio : 2 * Math.ceil(length / bins) + 1;
  const numbers = (count: number, shape: readonly number[]): Value =>
    e.floats(start.dtype, shape, [...Array(count).keys()]);
  const point = numbers(most, [1, 1, most, 1]);
  const inBin = e.div(e.offset(point, 0.5), divisor);
  const at = e.add(start, e.mul(size, e.add(numbers(bins, [1, bins, 1, 1]), inBin)));
  const outside = e.or(
    e.or(e.less(at, e.scalar(at, -1)), e.greater(at, e.scalar(at, length))),
    e.not(e.less(point, points)),
  );
  const share = e.div(e.asNumber(e.not(outside), at.dtype), divisor);
  const inside = e.node('Min', [e.node('Max', [at, e.scalar(at, 0)]), e.scalar(at, length - 1)]);
  const distance = e.abs(e.sub(inside, numbers(length, [1, 1, 1, length])));
  const hats = e.node('Relu', [e.offset(e.neg(distance), 1)]);
  return e.reshape(e.reduceSum(e.mul(hats, share), [2]), [regions, bins, length]);
}

export const maxRoiPool: Rule = {
  ops: ['MaxRoiPool'],
  vjp: n => n.refuse('its regions are rounded at run time'),
};
