import { UserError } from '../../../../protocol/errors';
import type { AttentionTokenResult } from '../../../../protocol/attention';
import type { Method } from '../method';
import { AttentionRun } from './attentionRun';
import type { HeadMatrices } from './canonical';
import { runRecord } from './record';

/** One token's rows and columns in every block: see `AttentionTokenParams`. @throws UserError `outOfRange`. */
export const attentionToken: Method<'attentionToken'> = {
  name: 'attentionToken',
  runs: true,
  async compute({ feeds, token, image = 0 }, context) {
    const started = performance.now();
    const run = await AttentionRun.open(context, feeds);
    const blocks: AttentionTokenResult['blocks'][number][] = [];
    let most = 0;
    for await (const { block, matrices } of run.each(run.blocks)) {
      const { heads, queries, keys, batch } = matrices;
      most = Math.max(most, queries, keys);
      if (!Number.isInteger(image) || image < 0 || image >= batch)
        throw new UserError(
          'outOfRange',
          `${block.id} has ${batch} images; ${image} is none of them.`,
        );
      blocks.push({
        id: block.id,
        heads,
        looksAt: token < queries ? rowsOf(matrices, image, token) : NONE,
        seenBy: token < keys ? columnsOf(matrices, image, token) : NONE,
      });
    }
    if (!Number.isInteger(token) || token < 0 || token >= most)
      throw new UserError(
        'outOfRange',
        `There are ${most} tokens (0 to ${most - 1}); ${token} is none of them.`,
      );
    return { blocks, ...(await runRecord(run, context, started)) };
  },
};

const NONE = new Float32Array(0);

function rowsOf(
  { heads, queries, keys, values }: HeadMatrices,
  image: number,
  query: number,
): Float32Array {
  const out = new Float32Array(heads * keys);
  for (let head = 0; head < heads; head++) {
    const from = ((image * heads + head) * queries + query) * keys;
    out.set(values.subarray(from, from + keys), head * keys);
  }
  return out;
}

function columnsOf(
  { heads, queries, keys, values }: HeadMatrices,
  image: number,
  key: number,
): Float32Array {
  const out = new Float32Array(heads * queries);
  for (let row = 0; row < heads * queries; row++)
    out[row] = values[(image * heads * queries + row) * keys + key] ?? 0;
  return out;
}
