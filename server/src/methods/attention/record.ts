import type { RunRecord } from '../../../../protocol/methods';
import type { AttentionRun } from './attentionRun';

/** Times of a run, for a result. */
export function runRecord({ derivatives }: AttentionRun, started: number): RunRecord {
  const { loadMs, forwardMs } = derivatives.times;
  return { times: { loadMs, forwardMs, totalMs: performance.now() - started }, warnings: [] };
}
