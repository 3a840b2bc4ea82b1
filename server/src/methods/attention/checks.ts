import { UserError } from '../../../../protocol/errors';
import type { AttentionInGraph } from '../../onnx/attention';
import { toFloat32 } from '../../onnx/numbers';
import type { Tensor } from '../../onnx/tensor';
import type { MethodContext } from '../method';
import type { HeadMatrices } from './canonical';
import type { RunBlock } from './runBlocks';

/** The base name of a model's file. */
const fileOf = ({ model }: MethodContext): string => model.source.name.replace(/^.*[\\/]/, '');

/** Why a model has no attention to show. */
export function noAttention(
  context: MethodContext,
  found: readonly AttentionInGraph[],
  notes: readonly string[],
): UserError {
  const [note] = notes;
  if (note !== undefined) return new UserError('unsupported', note);
  const lookalikes = found.flatMap(each => each.lookalikes);
  const gates = lookalikes.filter(({ kind }) => kind === 'squeeze-excite').length;
  const linear = lookalikes.length - gates;
  const instead = [
    ...(gates > 0 ? [`${gates} squeeze-excite gates`] : []),
    ...(linear > 0 ? [`${linear} blocks of linear attention`] : []),
  ].join(' and ');
  return new UserError(
    'unsupported',
    instead === ''
      ? `${fileOf(context)} has no attention; use explain to see what it looks at.`
      : `${fileOf(context)} has ${instead}, but no attention with weights; use explain to see what it looks at.`,
  );
}

/** Scores that are lowered by at least this are meant to be hidden. */
const HIDING = -1000;

/**
 * Images (or windows) of which no query has weights to share out: they are no numbers, or, where there is a mask, all the same. Whether that is the
 * mask's doing, `hides` tells.
 */
export function evenImages({ block }: RunBlock, matrices: HeadMatrices): readonly number[] {
  const { batch, heads, queries, keys, values } = matrices;
  const masked = block.masks.length > 0;
  const perImage = heads * queries * keys;
  const isEven = (image: number): boolean => {
    for (let at = image * perImage; at < (image + 1) * perImage; at += keys)
      if (!isEvenRow(values, at, keys, masked)) return false;
    return perImage > 0;
  };
  return Array.from({ length: batch }, (_, image) => image).filter(isEven);
}

function isEvenRow(values: Float32Array, from: number, count: number, masked: boolean): boolean {
  const first = values[from] ?? NaN;
  if (Number.isNaN(first)) return true;
  if (!masked || count < 2) return false;
  for (let at = from + 1; at < from + count; at++) if (values[at] !== first) return false;
  return first === 0 || Math.abs(first * count - 1) < 1e-5;
}

/** True for a mask that lowers every score of an image, or treats all of them alike. */
export function hides(mask: Tensor, image: number, batch: number): boolean {
  const values = toFloat32(mask);
  const perImage = values.length / (mask.shape.length > 1 && mask.shape[0] === batch ? batch : 1);
  const from = perImage < values.length ? image * perImage : 0;
  const own = values.subarray(from, from + perImage);
  const isChoice = mask.dtype === 'bool';
  return own.length > 1 && own.every(value => (isChoice ? value === own[0] : value <= HIDING));
}

/** What is thrown where a mask leaves nothing to look at. */
export const hiddenByMask = (id: string): UserError =>
  new UserError(
    'badArray',
    `The mask that is fed hides every key from ${id}, so its weights mean nothing; feed a mask that leaves at least one token visible.`,
  );

/** Largest difference of two tensors over the largest magnitude of the first; values that are not finite count where only one is. */
export function relativeDifference(own: Tensor, made: Tensor): number {
  const [a, b] = [toFloat32(own), toFloat32(made)];
  let difference = 0;
  let largest = 0;
  a.forEach((value, at) => {
    largest = Math.max(largest, Math.abs(value));
    const other = b[at] ?? NaN;
    if (Number.isNaN(value) && Number.isNaN(other)) return;
    difference = Math.max(difference, Math.abs(value - other));
  });
  return largest === 0 ? difference : difference / largest;
}
