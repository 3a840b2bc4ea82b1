import {
  HEAD_STATISTICS,
  type AttentionBlockFacts,
  type TokenName,
} from '../../../../protocol/attention';
import type { Method, MethodContext } from '../method';
import { AttentionRun } from './attentionRun';
import { blockFacts } from './facts';
import { headStatistics } from './statistics';
import { runRecord } from './record';
import { tokenNames } from './tokenNames';
import { windowPlaces } from './windows';

/** The attention blocks of a model for an input, and what each head does: see `AttentionResult`. */
export const attention: Method<'attention'> = {
  name: 'attention',
  runs: true,
  async compute(params, context) {
    const started = performance.now();
    const run = await AttentionRun.open(context, params.feeds);
    const differences = await run.differences();
    const blocks: AttentionBlockFacts[] = [];
    const statistics: Float32Array[] = [];
    for await (const { block, matrices } of run.each(run.blocks)) {
      const places = await windowPlaces(run, block);
      const facts = blockFacts(run, block, matrices, places, differences.get(block.id) ?? null);
      blocks.push(facts);
      statistics.push(
        headStatistics(matrices, {
          queries: facts.queryGrid,
          keys: facts.keyGrid,
          same: block.block.kind !== 'cross' && facts.queries === facts.keys,
        }),
      );
      context.report({ fraction: blocks.length / run.blocks.length, message: 'Attention' });
    }
    return {
      blocks,
      tokens: await tokensOf(params.tokenizer, context, run, blocks),
      statistics: joined(statistics),
      geometry: await context.geometry(params.feeds),
      notes: [...run.notes, ...accuracyNotes(blocks), ...precisionNotes(context, run)],
      ...runRecord(run, started),
    };
  },
};

const tokensOf = (
  tokenizer: string | undefined,
  context: MethodContext,
  run: AttentionRun,
  blocks: readonly AttentionBlockFacts[],
): Promise<readonly TokenName[]> => tokenNames(run, blocks, tokenizer, context);

/** Rebuilt weights are meant to reproduce the operator: more than this is told. */
const LARGEST_DIFFERENCE = 1e-4;
const LARGEST_HALF_DIFFERENCE = 5e-3;

function accuracyNotes(blocks: readonly AttentionBlockFacts[]): string[] {
  return blocks.flatMap(({ id, difference }) =>
    difference !== null && difference > LARGEST_HALF_DIFFERENCE
      ? [
          `The weights of ${id} were rebuilt, and what follows from them differs from the operator's own output by ${(100 * difference).toPrecision(2)} %.`,
        ]
      : [],
  );
}

function precisionNotes({ model }: MethodContext, run: AttentionRun): string[] {
  const half = [...model.graph.initializers.values()].some(({ dtype }) => dtype === 'float16');
  const largest = Math.max(0, ...run.blocks.map(() => 0));
  return half && largest < LARGEST_DIFFERENCE
    ? ['The model computes in half precision; its attention is shown in single precision.']
    : [];
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const out = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

export { HEAD_STATISTICS };
