import { type Shape, withSize } from '../dimensions';
import { type NodeView, type Rule, tensor } from '../rule';
import { spatialSizes, windowedSize, windowsOf } from '../windows';

/** [batch, channels, …spatial] of a pooling node; with `channelsLast` [batch, …spatial, channels]. */
function pooled(node: NodeView, channelsLast: boolean): Shape | null {
  const input = node.shape(0);
  if (input === null || input.length < 2) return null;
  const spatial = channelsLast ? input.slice(1, -1) : input.slice(2);
  const windows = windowsOf(node, spatial.length, []);
  const sizes = spatial.map((length, axis) => windowedSize(length, windows, axis));
  const [batch = null, channels = null] = channelsLast ? [input[0], input.at(-1)] : input;
  return channelsLast ? [batch, ...sizes, channels] : [batch, channels, ...sizes];
}

/** MaxPool (with its indices), AveragePool, LpPool. */
export const pooling: Rule = node => {
  const shape = pooled(node, false);
  return [tensor(node.dtype(0), shape), tensor('int64', shape)];
};

/** com.microsoft.NhwcMaxPool. */
export const channelsLastPooling: Rule = node => [tensor(node.dtype(0), pooled(node, true))];

/** com.microsoft.QLinearAveragePool. */
export const quantizedPooling: Rule = node => [
  tensor(node.dtype(0), pooled(node, node.int('channels_last', 0) !== 0)),
];

/** GlobalAveragePool, GlobalMaxPool, GlobalLpPool: every spatial size becomes 1. */
export const globalPooling: Rule = node => {
  const shape = node.shape(0);
  return [tensor(node.dtype(0), shape?.map((length, axis) => (axis < 2 ? length : 1)) ?? null)];
};

/** com.microsoft.QLinearGlobalAveragePool: as above, in either layout. */
export const quantizedGlobalPooling: Rule = node => {
  const shape = node.shape(0);
  const last = node.int('channels_last', 0) !== 0;
  const keeps = (axis: number, rank: number) => axis === 0 || axis === (last ? rank - 1 : 1);
  return [
    tensor(
      node.dtype(0),
      shape?.map((length, axis) => (keeps(axis, shape.length) ? length : 1)) ?? null,
    ),
  ];
};

/** MaxUnpool: the shape in input 2, else the inverse of the pooling. */
export const maxUnpooling: Rule = node => {
  const input = node.shape(0);
  const spatial = spatialSizes(input);
  if (node.has(2)) return [tensor(node.dtype(0), node.elements(2))];
  if (input === null || spatial === null) return [tensor(node.dtype(0), null)];
  const kernel = node.ints('kernel_shape');
  const strides = node.ints('strides');
  const pads = node.ints('pads');
  const sizes = spatial.map((length, axis) => {
    const extent = kernel?.[axis];
    if (typeof length !== 'number' || extent === undefined) return null;
    const padding = (pads?.[axis] ?? 0) + (pads?.[axis + spatial.length] ?? 0);
    return (length - 1) * (strides?.[axis] ?? 1) + extent - padding;
  });
  return [tensor(node.dtype(0), [...input.slice(0, 2), ...sizes])];
};

/** MaxRoiPool: [regions, channels, …pooled_shape]. */
export const regionPooling: Rule = node => [
  tensor(node.dtype(0), [
    node.sizeAt(1, 0),
    node.sizeAt(0, 1),
    ...(node.ints('pooled_shape') ?? [null, null]),
  ]),
];

/** RoiAlign: [regions, channels, output_height, output_width]. */
export const regionAlign: Rule = node => [
  tensor(node.dtype(0), [
    node.sizeAt(1, 0),
    node.sizeAt(0, 1),
    node.int('output_height', 1),
    node.int('output_width', 1),
  ]),
];

/** GridSample: batch and channels of the input, spatial sizes of the grid [batch, …spatial, rank]. */
export const gridSample: Rule = node => {
  const input = node.shape(0);
  const grid = node.shape(1);
  if (input === null || grid === null || input.length < 2) return [tensor(node.dtype(0), null)];
  return [tensor(node.dtype(0), [...input.slice(0, 2), ...grid.slice(1, -1)])];
};

/** AffineGrid: [batch, …spatial, spatial axes] for a `size` of [batch, channels, …spatial]. */
export const affineGrid: Rule = node => {
  const sizes = node.elements(1);
  if (sizes === null) return [tensor(node.dtype(0), null)];
  return [tensor(node.dtype(0), [...withSize(sizes, 1, null).toSpliced(1, 1), sizes.length - 2])];
};
