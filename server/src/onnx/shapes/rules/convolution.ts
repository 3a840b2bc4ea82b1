import type { DataType } from '../../../../../protocol/model';
import type { Shape } from '../dimensions';
import { type NodeView, type Rule, tensor } from '../rule';
import { spatialSizes, transposedSize, windowedSize, windowsOf } from '../windows';

/** [batch, out channels, …spatial] of a convolution of input 0 with the weight at input `weight`, [out, in/groups, …kernel]. */
function convolved(node: NodeView, weight: number): Shape | null {
  const input = node.shape(0);
  const spatial = spatialSizes(input);
  if (input === null || spatial === null) return null;
  const windows = windowsOf(node, spatial.length, node.shape(weight)?.slice(2) ?? []);
  return [
    input[0] ?? null,
    node.sizeAt(weight, 0),
    ...spatial.map((length, axis) => windowedSize(length, windows, axis)),
  ];
}

/** Conv and com.microsoft.FusedConv. */
export const convolution: Rule = node => [tensor(node.dtype(0), convolved(node, 1))];

export const convInteger: Rule = node => [tensor('int32', convolved(node, 1))];

/** QLinearConv: the weight is input 3, the output has the type of its zero point, input 7. */
export const quantizedConvolution: Rule = node => [
  tensor(node.dtype(7), node.int('channels_last', 0) === 0 ? convolved(node, 3) : null),
];

/** ConvTranspose; weight [in, out/groups, …kernel]. `output_shape` wins over everything else. */
export const transposedConvolution: Rule = node => {
  const input = node.shape(0);
  const spatial = spatialSizes(input);
  if (input === null || spatial === null) return [tensor(node.dtype(0), null)];
  const windows = windowsOf(node, spatial.length, node.shape(1)?.slice(2) ?? []);
  const outputShape = node.ints('output_shape')?.slice(-spatial.length) ?? null;
  const outputPadding = node.ints('output_padding');
  const perGroup = node.sizeAt(1, 1);
  const channels = typeof perGroup === 'number' ? perGroup * node.int('group', 1) : null;
  const sizes = spatial.map(
    (length, axis) =>
      outputShape?.[axis] ?? transposedSize(length, windows, outputPadding?.[axis] ?? 0, axis),
  );
  return [tensor(node.dtype(0), [input[0] ?? null, channels, ...sizes])];
};

/** Col2Im: [batch, channels · kernel, blocks] → [batch, channels, …image]. */
export const columnsToImage: Rule = node => {
  const image = node.elements(1);
  const block = node.numbers(2);
  const columns = node.sizeAt(0, 1);
  const type: DataType = node.dtype(0);
  if (image === null) return [tensor(type, null)];
  const area = block?.reduce((product, length) => product * length, 1) ?? 0;
  const channels = typeof columns === 'number' && area > 0 ? columns / area : null;
  return [tensor(type, [node.sizeAt(0, 0), channels, ...image])];
};
