import type { RunRecord } from '../../../../protocol/methods';
import type { MethodContext } from '../method';
import type { AttentionRun } from './attentionRun';

/** Times of a run and what is to be said of its feeds, for a result. */
export async function runRecord(
  { derivatives }: AttentionRun,
  context: MethodContext,
  started: number,
): Promise<RunRecord> {
  const { warnings } = await context.values(derivatives.feeds, []);
  const { loadMs, forwardMs } = derivatives.times;
  return { times: { loadMs, forwardMs, totalMs: performance.now() - started }, warnings };
}
