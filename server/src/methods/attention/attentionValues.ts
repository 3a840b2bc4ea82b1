import { UserError } from '../../../../protocol/errors';
import type { Method } from '../method';
import { resolveTarget } from '../attribution/targets';
import { AttentionRun } from './attentionRun';
import { withGradients, type WeightedBlock } from './gradients';
import { runRecord } from './record';

type Values = Pick<WeightedBlock, 'block' | 'matrices'> & Partial<WeightedBlock>;

/** Exact weights of one block, with their gradients where a target is given. @throws UserError `outOfRange`, NoGradientError. */
export const attentionValues: Method<'attentionValues'> = {
  name: 'attentionValues',
  runs: true,
  async compute({ feeds, index, gradientOf }, context) {
    const started = performance.now();
    const run = await AttentionRun.open(context, feeds);
    const block = run.blocks[index];
    if (!block)
      throw new UserError(
        'outOfRange',
        `The model has ${run.blocks.length} attention blocks (0 to ${run.blocks.length - 1}); ${index} is none of them.`,
      );
    const target = gradientOf && (await resolveTarget(gradientOf, run.derivatives, context));
    const pairs: AsyncIterable<Values> = target
      ? withGradients(run, run.blocks, target)
      : run.each([block]);
    for await (const pair of pairs) {
      if (pair.block !== block) continue;
      const { batch, heads, queries, keys, values } = pair.matrices;
      return {
        shape: [batch, heads, queries, keys],
        probabilities: values,
        gradient: pair.gradient?.values ?? null,
        gradientMs: run.derivatives.times.gradientMs,
        ...(await runRecord(run, context, started)),
      };
    }
    throw new Error(`the run gave no block ${index}`);
  },
};
