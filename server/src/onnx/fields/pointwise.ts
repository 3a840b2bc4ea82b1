import type { Node } from '../graph';
import { everything, type FieldRule, int, ints, lengthOf, rankOf } from './region';

/** Element-wise operators with broadcasting: an axis of length 1 is looked at whole. */
export const aligned: FieldRule = (node, region, context) =>
  node.inputs.map(name => {
    const shape = context.shape(name);
    if (shape === null || shape.length > region.length) return everything(shape?.length ?? 0);
    const offset = region.length - shape.length;
    return shape.map((length, axis) => (length === 1 ? null : (region[axis + offset] ?? null)));
  });

/** As `aligned`, but these axes of the first input are looked at whole. */
const mixing =
  (axes: (node: Node, rank: number, version: number) => readonly number[]): FieldRule =>
  (node, region, context) => {
    const mixed = new Set(
      axes(node, region.length, context.version).map(axis =>
        axis < 0 ? axis + region.length : axis,
      ),
    );
    return [region.map((part, axis) => (mixed.has(axis) ? null : part))];
  };
const fromAxis = (first: number, rank: number): readonly number[] => {
  const start = first < 0 ? first + rank : first;
  return Array.from({ length: Math.max(0, rank - start) }, (_, index) => start + index);
};

/** Softmax and relatives: one axis since version 13, before that all from `axis` on. */
export const softmax = mixing((node, rank, version) =>
  version >= 13 ? [int(node, 'axis', -1)] : fromAxis(int(node, 'axis', 1), rank),
);
export const layerNormalization = mixing((node, rank) => fromAxis(int(node, 'axis', -1), rank));
export const instanceNormalization = mixing((_, rank) => fromAxis(1, rank));
export const channelNormalization = mixing(() => [1]);
export const axisNormalization = mixing(node => [int(node, 'axis', -1)]);
export const meanVarianceNormalization = mixing(node => ints(node, 'axes') ?? [0, 2, 3]);
/** BatchNormalization, PRelu and others whose further inputs are parameters. */
export const first: FieldRule = (_node, region) => [region];

/** Reductions: the reduced axes are looked at whole. */
export const reduced: FieldRule = (node, region, context) => {
  const rank = rankOf(node, 0, context);
  const single = node.op.startsWith('Arg') ? [int(node, 'axis', 0)] : null;
  const listed =
    single ??
    ((node.inputs[1] ?? '') === '' ? ints(node, 'axes') : context.constant(node.inputs[1] ?? ''));
  const gone = new Set(
    (listed ?? Array.from({ length: rank }, (_, axis) => axis)).map(axis =>
      axis < 0 ? axis + rank : axis,
    ),
  );
  const keeps = int(node, 'keepdims', 1) !== 0;
  let next = 0;
  const seen = Array.from({ length: rank }, (_, axis) => {
    if (gone.has(axis)) {
      if (keeps) next++;
      return null;
    }
    return region[next++] ?? null;
  });
  return [seen];
};

/** MatMul and Gemm: rows of A, columns of B, batch axes; the summed axis is looked at whole. */
export const multiplied: FieldRule = (node, region, context) => {
  const swapped = int(node, 'transA', 0) !== 0 || int(node, 'transB', 0) !== 0;
  return [0, 1].map(index => {
    const rank = rankOf(node, index, context);
    if (rank < 2 || swapped || region.length < rank) return everything(rank);
    const offset = region.length - rank;
    const summed = index === 0 ? rank - 1 : rank - 2;
    return Array.from({ length: rank }, (_, axis) => {
      const broadcast = axis < rank - 2 && lengthOf(node, index, axis, context) === 1;
      return axis === summed || broadcast ? null : (region[axis + offset] ?? null);
    });
  });
};
