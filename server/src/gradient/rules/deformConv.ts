import { addAlong, takeAlong } from '../indexing';
import type { Operators } from '../operators';
import type { Rule, RuleNode } from '../rule';
import { type Corner, cornersOf, placeOf, slopeOf, tapsAt, weightOf } from '../sampling';
import type { Value } from '../value';
import { windowsOf } from '../windows';

/**
 * A convolution whose kernel elements read the input at positions of their own (Dai et al. 2017, arXiv 1703.06211), each read value times
 * a mask (Zhu et al. 2018, arXiv 1811.11168): y = w · (mask · read(x, offset)) + b. Reading is linear interpolation with zeros around.
 */
export const deformConv: Rule = {
  ops: ['DeformConv'],
  vjp: (n, e) => {
    const sampled = new Sampled(n, e);
    return [
      () => sampled.ofInput(),
      () => sampled.ofWeight(),
      () => sampled.ofOffset(),
      () => e.reshape(e.reduceSum(n.dy, sampled.allButChannels), n.x(3).shape),
      () => sampled.ofMask(),
    ];
  },
};

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);

/** What the kernel elements read. Tensors are [batch · offset groups, channels of a group (or 1), kernel elements · positions]. */
class Sampled {
  private readonly batch: number;
  private readonly channels: number;
  private readonly lengths: readonly number[];
  private readonly kernel: number;
  private readonly positions: number;
  private readonly offsetGroups: number;
  private readonly groups: number;

  constructor(
    private readonly n: RuleNode,
    private readonly e: Operators,
  ) {
    const [batch = 1, channels = 1, ...lengths] = n.x(0).shape;
    [this.batch, this.channels, this.lengths] = [batch, channels, lengths];
    this.kernel = product(n.x(1).shape.slice(2));
    this.positions = product(n.dy.shape.slice(2));
    this.offsetGroups = n.int('offset_group', 1);
    this.groups = n.int('group', 1);
  }

  get allButChannels(): readonly number[] {
    return [0, ...this.lengths.map((_, axis) => axis + 2)];
  }

  ofInput(): Value {
    const { e, n } = this;
    const corners = this.corners();
    const g = this.unmasked(this.ofRead());
    const parts = corners.map(corner => e.mul(g, weightOf(e, corner)));
    const shape = [...this.groupShape, product(this.lengths)];
    const places = this.places(corners);
    return e.reshape(addAlong(n, e, e.concat(parts, 2), places, 2, shape), n.x(0).shape);
  }

  ofWeight(): Value {
    const { e, n } = this;
    const columns = e.reshape(this.unmasked(this.read(this.corners())), this.columnShape);
    const products = e.matMul(this.outputGroups(), e.swapLast(columns));
    return e.reshape(e.reduceSum(products, [0]), n.x(1).shape);
  }

  ofOffset(): Value {
    const { e, n } = this;
    const corners = this.corners();
    const g = this.unmasked(this.ofRead());
    const along = this.values(corners).map(value => e.reduceSum(e.mul(value, g), [1]));
    const shape = [this.batch * this.offsetGroups, this.kernel, 1, this.positions];
    const axes = this.lengths.map((_, axis) => {
      const parts = corners.map((corner, at) => e.mul(along[at] ?? g, slopeOf(e, corner, axis)));
      return e.reshape(e.sum(parts), shape);
    });
    return e.reshape(e.concat(axes, 2), n.x(2).shape);
  }

  ofMask(): Value {
    const { e, n } = this;
    const products = e.mul(this.ofRead(), this.read(this.corners()));
    return e.reshape(e.reduceSum(products, [1]), n.x(4).shape);
  }

  private get groupShape(): readonly [number, number] {
    return [this.batch * this.offsetGroups, this.channels / this.offsetGroups];
  }

  /** [batch, groups, channels of a group · kernel elements, positions]. */
  private get columnShape(): readonly number[] {
    return [this.batch, this.groups, (this.channels / this.groups) * this.kernel, this.positions];
  }

  /** The gradient of y as [batch, groups, outputs of a group, positions]. */
  private outputGroups(): Value {
    const outputs = (this.n.dy.shape[1] ?? 1) / this.groups;
    return this.e.reshape(this.n.dy, [this.batch, this.groups, outputs, this.positions]);
  }

  /** The gradient of what was read, the mask included. */
  private ofRead(): Value {
    const { e, n } = this;
    const [outputs = 1, perGroup = 1] = n.x(1).shape;
    const rows = [this.groups, outputs / this.groups, perGroup * this.kernel];
    const columns = e.matMul(e.swapLast(e.reshape(n.x(1), rows)), this.outputGroups());
    return e.reshape(columns, [...this.groupShape, this.kernel * this.positions]);
  }

  /** Times the mask. */
  private unmasked(value: Value): Value {
    const { e, n } = this;
    if (!n.has(4)) return value;
    const shape = [this.groupShape[0], 1, this.kernel * this.positions];
    return e.mul(value, e.reshape(n.x(4), shape));
  }

  private read(corners: readonly Corner[]): Value {
    const { e } = this;
    const values = this.values(corners);
    return e.sum(corners.map((corner, at) => e.mul(weightOf(e, corner), values[at] ?? this.n.dy)));
  }

  /** The input at each corner. */
  private values(corners: readonly Corner[]): readonly Value[] {
    const { e, n } = this;
    const x = e.reshape(n.x(0), [...this.groupShape, product(this.lengths)]);
    return e.split(takeAlong(n, e, x, this.places(corners), 2), corners.length, 2);
  }

  /** Of all channels, corner by corner. */
  private places(corners: readonly Corner[]): Value {
    const { e } = this;
    const places = corners.map(corner => placeOf(e, corner, this.lengths));
    const count = corners.length * this.kernel * this.positions;
    return e.expand(e.concat(places, 2), [...this.groupShape, count]);
  }

  private corners(): readonly Corner[] {
    const { e, n } = this;
    const rank = this.lengths.length;
    const groups = this.batch * this.offsetGroups;
    const offsets = e.reshape(n.x(2), [groups, this.kernel, rank, this.positions]);
    const regular = this.regularPositions();
    return cornersOf(
      e.split(offsets, rank, 2).map((offset, axis) => {
        const shape = [groups, 1, this.kernel * this.positions];
        const at = e.add(e.reshape(offset, shape), regular[axis] ?? offset);
        const how = { mode: 'linear', padding: 'zeros', alignCorners: true };
        return tapsAt(e, at, this.lengths[axis] ?? 1, how);
      }),
    );
  }

  /** Where the elements of a plain convolution's kernel read, for each axis: [1, 1, kernel elements · positions]. */
  private regularPositions(): readonly Value[] {
    const { e, n } = this;
    const kernel = n.x(1).shape.slice(2);
    const windows = windowsOf(n, kernel);
    const taken = coordinatesOf(kernel);
    const places = coordinatesOf(windows.map(({ output }) => output));
    return windows.map(({ stride, dilation, before }, axis) => {
      const values = taken.flatMap(u =>
        places.map(o => (o[axis] ?? 0) * stride + (u[axis] ?? 0) * dilation - before),
      );
      return e.floats(n.dy.dtype, [1, 1, values.length], values);
    });
  }
}

/** All coordinates of a tensor of this shape, in C order. */
const coordinatesOf = (shape: readonly number[]): readonly (readonly number[])[] =>
  shape.reduce<readonly (readonly number[])[]>(
    (sofar, length) => sofar.flatMap(place => Array.from({ length }, (_, i) => [...place, i])),
    [[]],
  );
