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

/**
 * Where a mask hides every key of a query, the softmax has nothing to share out. @throws UserError `badArray` where that is so of all queries of an
 * image, or where weights are no numbers.
 */
export function assertSeen({ id, block }: RunBlock, matrices: HeadMatrices): void {
  const { batch, heads, queries, keys, values } = matrices;
  const perImage = heads * queries * keys;
  const hidden = (image: number): boolean => {
    for (let at = image * perImage; at < (image + 1) * perImage; at += keys)
      if (!isHidden(values, at, keys, block.masks.length > 0)) return false;
    return true;
  };
  for (let image = 0; image < batch; image++)
    if (perImage > 0 && hidden(image))
      throw new UserError(
        'badArray',
        `The mask that is fed hides every key from ${id}, so its weights mean nothing; feed a mask that leaves at least one token visible.`,
      );
}

/** No numbers, or, behind a mask, all the same: what is left of scores that are all as low as can be. */
function isHidden(values: Float32Array, from: number, count: number, masked: boolean): boolean {
  const first = values[from] ?? NaN;
  if (Number.isNaN(first)) return true;
  if (!masked || count < 2) return false;
  for (let at = from + 1; at < from + count; at++) if (values[at] !== first) return false;
  return first === 0 || Math.abs(first * count - 1) < 1e-5;
}

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
