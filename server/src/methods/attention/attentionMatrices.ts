import { UserError } from '../../../../protocol/errors';
import type { AttentionMatrix } from '../../../../protocol/attention';
import { elementCount } from '../../onnx/tensor';
import type { Method } from '../method';
import { AttentionRun } from './attentionRun';
import type { HeadMatrices } from './canonical';
import { quantiseRows } from './quantise';
import { runRecord } from './record';
import type { RunBlock } from './runBlocks';
import { windowPlaces } from './windows';

/** Weights that one answer holds at most. */
const MOST_WEIGHTS = 2 ** 26;

/** Matrices of blocks for a view: see `AttentionMatricesParams`. @throws UserError `tooLarge`, `outOfRange`, `layerNotFound`. */
export const attentionMatrices: Method<'attentionMatrices'> = {
  name: 'attentionMatrices',
  runs: true,
  async compute(params, context) {
    const started = performance.now();
    const run = await AttentionRun.open(context, params.feeds);
    const wanted = params.blocks.map(id => run.block(id));
    assertSmall(run, wanted);
    const blocks: AttentionMatrix[] = [];
    const parts: { readonly values: Uint8Array; readonly scales: Float32Array }[] = [];
    let [valueOffset, scaleOffset] = [0, 0];
    for await (const { block, matrices } of run.each(wanted)) {
      const windows = await windowPlaces(run, block);
      const perImage = matrices.batch / (windows?.images ?? matrices.batch);
      const cut = ofImage(matrices, params.image ?? 0, perImage, block.id);
      const scales = new Float32Array(cut.length / matrices.keys);
      const values = new Uint8Array(cut.length);
      quantiseRows(cut, matrices.keys, values, scales);
      parts.push({ values, scales });
      const { heads, queries, keys } = matrices;
      const from = (params.image ?? 0) * perImage * queries;
      blocks.push({
        ...{ id: block.id, windows: perImage, heads, queries, keys, valueOffset, scaleOffset },
        places: windows?.places.slice(from, from + perImage * queries) ?? null,
      });
      valueOffset += values.length;
      scaleOffset += scales.length;
    }
    const values = new Uint8Array(valueOffset);
    const scales = new Float32Array(scaleOffset);
    parts.forEach((part, at) => {
      values.set(part.values, blocks[at]?.valueOffset);
      scales.set(part.scales, blocks[at]?.scaleOffset);
    });
    return { blocks, values, scales, ...(await runRecord(run, context, started)) };
  },
};

function assertSmall({ derivatives }: AttentionRun, blocks: readonly RunBlock[]): void {
  const counts = blocks.map(({ layout }) =>
    elementCount(derivatives.shapeOf(layout.tensor) ?? [0]),
  );
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total <= MOST_WEIGHTS) return;
  const longest = Math.max(...blocks.map(({ block }) => Number(block.keys)));
  throw new UserError(
    'tooLarge',
    `The matrices of ${blocks.length} blocks with up to ${longest} tokens hold ${Math.round(total / 1e6)} million weights, too many to show at once; choose fewer blocks, or one token (attentionToken).`,
  );
}

/** The matrices of one image: [windows, heads, queries, keys]. */
function ofImage(
  { batch, heads, queries, keys, values }: HeadMatrices,
  image: number,
  windows: number,
  id: string,
): Float32Array {
  const size = windows * heads * queries * keys;
  if (Number.isInteger(image) && image >= 0 && (image + 1) * windows <= batch)
    return values.subarray(image * size, (image + 1) * size);
  throw new UserError(
    'outOfRange',
    `${id} has ${batch / windows} images (0 to ${batch / windows - 1}); ${image} is none of them.`,
  );
}
