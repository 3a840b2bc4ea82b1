import type { AttentionBlockFacts } from '../../../../protocol/attention';
import type { Method, MethodContext } from '../method';
import { AttentionRun } from './attentionRun';
import { relativeDifference } from './checks';
import { blockFacts } from './facts';
import { runRecord } from './record';
import { headStatistics } from './statistics';
import { tokenNames } from './tokenNames';
import { windowPlaces } from './windows';

/** The attention blocks of a model for an input, and what each head does: see `AttentionResult`. */
export const attention: Method<'attention'> = {
  name: 'attention',
  runs: true,
  async compute(params, context) {
    const started = performance.now();
    const run = await AttentionRun.open(context, params.feeds);
    const own = await run.ownOutputs();
    const blocks: AttentionBlockFacts[] = [];
    const statistics: Float32Array[] = [];
    for await (const { block, matrices, output } of run.each(run.blocks)) {
      const given = own.get(block.output ?? '');
      const difference = given && output ? relativeDifference(given, output) : null;
      const places = await windowPlaces(run, block);
      const facts = blockFacts(run, block, matrices, places, difference);
      blocks.push(facts);
      statistics.push(
        headStatistics(matrices, {
          queries: facts.queryGrid,
          keys: facts.keyGrid,
          same: facts.kind !== 'cross' && facts.queries === facts.keys,
        }),
      );
      context.report({ fraction: blocks.length / run.blocks.length, message: 'Attention' });
    }
    const isHalf = computesInHalf(context);
    return {
      blocks,
      tokens: await tokenNames(run, blocks, params.tokenizer, context),
      statistics: joined(statistics),
      geometry: await context.geometry(params.feeds),
      notes: [
        ...run.notes,
        ...accuracyNotes(blocks, isHalf ? 5e-3 : 1e-4),
        ...(isHalf
          ? ['The model computes in half precision; its attention is shown in single precision.']
          : []),
      ],
      ...(await runRecord(run, context, started)),
    };
  },
};

const computesInHalf = ({ model }: MethodContext): boolean =>
  [...model.graph.inputs, ...model.graph.initializers.values()].some(
    ({ dtype }) => dtype === 'float16',
  );

/** Rebuilt weights are meant to reproduce the operator; where they do not, that is told. */
const accuracyNotes = (blocks: readonly AttentionBlockFacts[], most: number): string[] =>
  blocks.flatMap(({ id, difference }) =>
    difference !== null && !(difference <= most)
      ? [
          `The weights of ${id} were rebuilt, and what follows from them differs from the operator's own output by ${(100 * difference).toPrecision(2)} %.`,
        ]
      : [],
  );

function joined(parts: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}
