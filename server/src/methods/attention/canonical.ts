import type { Probabilities } from '../../onnx/attention';
import { toFloat32 } from '../../onnx/numbers';
import { elementCount, type Tensor } from '../../onnx/tensor';

/** Attention weights, or their gradients, as [batch, heads, queries, keys]; of windowed attention the batch counts windows. */
export interface HeadMatrices {
  readonly batch: number;
  readonly heads: number;
  readonly queries: number;
  readonly keys: number;
  readonly values: Float32Array;
}

/** The matrices of a tensor that is laid out as `layout` says: the tensor's own memory where the order is the same. */
export function headMatrices(layout: Probabilities, tensor: Tensor): HeadMatrices {
  const { shape } = tensor;
  const axes = axesOf(layout, shape);
  const sizeOf = (role: Axis['role']): number =>
    axes.reduce((product, axis) => (axis.role === role ? product * axis.size : product), 1);
  return {
    batch: sizeOf('batch'),
    heads: sizeOf('heads'),
    queries: sizeOf('queries'),
    keys: sizeOf('keys'),
    values: ordered(toFloat32(tensor), axes),
  };
}

/** The other way: a tensor of the layout's order from matrices. */
export function fromHeadMatrices(
  layout: Probabilities,
  shape: readonly number[],
  values: Float32Array,
): Tensor {
  const axes = axesOf(layout, shape);
  const data = isOrdered(axes) ? values : new Float32Array(values.length);
  if (!isOrdered(axes)) forEachPair(axes, (from, to) => (data[from] = values[to] ?? 0));
  return { dtype: 'float32', shape, data };
}

interface Axis {
  readonly role: 'batch' | 'heads' | 'queries' | 'keys';
  readonly size: number;
}

const ORDER = ['batch', 'heads', 'queries', 'keys'] as const;

/** The axes of a tensor, batch and heads told apart. */
function axesOf(layout: Probabilities, shape: readonly number[]): readonly Axis[] {
  return layout.axes.flatMap((role, at): Axis[] => {
    const size = shape[at] ?? 1;
    if (role !== 'merged') return [{ role, size }];
    const heads = typeof layout.heads === 'number' && size % layout.heads === 0 ? layout.heads : 1;
    const parts: Axis[] = [
      { role: 'batch', size: size / heads },
      { role: 'heads', size: heads },
    ];
    return layout.headsOuter ? parts.reverse() : parts;
  });
}

const placeOf = ({ role }: Axis): number => ORDER.indexOf(role);

const isOrdered = (axes: readonly Axis[]): boolean =>
  axes.every((axis, at) => at === 0 || placeOf(axis) >= placeOf(axes[at - 1] ?? axis));

function ordered(values: Float32Array, axes: readonly Axis[]): Float32Array {
  if (isOrdered(axes)) return values;
  const out = new Float32Array(values.length);
  forEachPair(axes, (from, to) => (out[to] = values[from] ?? 0));
  return out;
}

/** Each element's place in the order of the axes, and in that of `ORDER`. */
function forEachPair(axes: readonly Axis[], use: (from: number, to: number) => void): void {
  const sorted = axes
    .map((axis, at) => ({ axis, at }))
    .sort((a, b) => placeOf(a.axis) - placeOf(b.axis));
  const strides = new Array<number>(axes.length).fill(1);
  let stride = 1;
  for (const { axis, at } of sorted.reverse()) {
    strides[at] = stride;
    stride *= axis.size;
  }
  const index = new Array<number>(axes.length).fill(0);
  const count = elementCount(axes.map(({ size }) => size));
  let to = 0;
  for (let from = 0; from < count; from++) {
    use(from, to);
    for (let at = axes.length - 1; at >= 0; at--) {
      index[at] = (index[at] ?? 0) + 1;
      to += strides[at] ?? 0;
      if ((index[at] ?? 0) < (axes[at]?.size ?? 1)) break;
      to -= (strides[at] ?? 0) * (axes[at]?.size ?? 1);
      index[at] = 0;
    }
  }
}
