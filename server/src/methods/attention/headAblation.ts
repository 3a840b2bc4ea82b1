import type { HeadAblationResult } from '../../../../protocol/attention';
import type { Tensor } from '../../onnx/tensor';
import { resolved, resolveTarget } from '../attribution/targets';
import type { Method } from '../method';
import { AttentionRun } from './attentionRun';
import { fromHeadMatrices, type HeadMatrices } from './canonical';
import { runRecord } from './record';

/**
 * What each head does for a target: its score when the head's weights are set to zero, less its score as it is (Michel et al. 2019, arXiv 1905.10650, with the
 * head's mask at the weights). The part of the model behind a block is run once for each of its heads. @throws what targets and runs throw.
 */
export const headAblation: Method<'headAblation'> = {
  name: 'headAblation',
  runs: true,
  async compute(params, context) {
    const started = performance.now();
    const run = await AttentionRun.open(context, params.feeds);
    const target = await resolveTarget(params.target, run.derivatives, context);
    const wanted = params.blocks ? params.blocks.map(id => run.block(id)) : run.blocks;
    const value = (await run.derivatives.values([target.tensor])).get(target.tensor);
    if (!value) throw new Error(`the run gave no ${target.tensor}`);
    const whole = resolved(target, value);
    // the highest class of the whole model stays the target, whatever is highest without a head
    const fixed =
      target.seed.kind === 'top' && whole.index
        ? await resolveTarget(
            { kind: 'element', tensor: target.tensor, index: whole.index },
            run.derivatives,
            context,
          )
        : target;
    const blocks: HeadAblationResult['blocks'][number][] = [];
    const effects: number[] = [];
    for await (const { block, matrices } of run.each(wanted)) {
      const { tensor } = block.layout;
      const shape = run.derivatives.shapeOf(tensor) ?? [];
      const runRest = await run.derivatives.behind(target.tensor, [tensor]);
      blocks.push({ id: block.id, heads: matrices.heads });
      for (let head = 0; head < matrices.heads; head++) {
        context.signal.throwIfAborted();
        const without: Tensor = fromHeadMatrices(block.layout, shape, withoutHead(matrices, head));
        const score = resolved(fixed, await runRest(new Map([[tensor, without]]))).score;
        effects.push(score - whole.score);
        const done = (blocks.length - 1 + (head + 1) / matrices.heads) / wanted.length;
        context.report({ fraction: done, message: 'Removing heads' });
      }
    }
    return {
      target: whole,
      blocks,
      effects: Float32Array.from(effects),
      ...(await runRecord(run, context, started)),
    };
  },
};

function withoutHead(
  { batch, heads, queries, keys, values }: HeadMatrices,
  head: number,
): Float32Array {
  const out = Float32Array.from(values);
  const size = queries * keys;
  for (let image = 0; image < batch; image++)
    out.fill(0, (image * heads + head) * size, (image * heads + head + 1) * size);
  return out;
}
