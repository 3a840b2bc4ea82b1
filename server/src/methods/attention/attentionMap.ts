import { UserError } from '../../../../protocol/errors';
import type {
  AttentionMapOptions,
  AttentionMapParams,
  AttentionMapResult,
  TokenLayout,
} from '../../../../protocol/attention';
import { resolved, resolveTarget, type Target } from '../attribution/targets';
import type { Method, MethodContext } from '../method';
import { AttentionRun } from './attentionRun';
import { runRecord } from './record';
import type { RunBlock } from './runBlocks';
import { spread, type Spread } from './spread';
import { layoutOf } from './tokenLayout';

/** Attention over all layers, or of one: see `AttentionMapParams`. */
export const attentionMap: Method<'attentionMap'> = {
  name: 'attentionMap',
  runs: true,
  async compute(params, context) {
    const started = performance.now();
    const run = await AttentionRun.open(context, params.feeds);
    const target =
      params.method === 'gradient-rollout'
        ? await resolveTarget(params.target, run.derivatives, context)
        : null;
    const options = optionsOf(params);
    const found = await spread(run, context, { ...params, options, target });
    const grids = gridsOf(run, found);
    const token = tokenOf(params.token, grids.queries, found);
    const map = mapOf(found, grids.keys, token);
    return {
      method: params.method,
      blocks: found.blocks.map(({ id }) => id),
      target: target && resolved(target, await valueOf(run, target)),
      matrix: params.want === 'full' ? Float32Array.from(found.matrix) : new Float32Array(0),
      matrixShape: [found.batch, found.queries, found.keys],
      ...map,
      token,
      grid: grids.keys,
      geometry: await context.geometry(params.feeds),
      options,
      notes: [...run.notes, ...found.notes, ...gridNotes(run, grids.keys, found)],
      gradientMs: run.derivatives.times.gradientMs,
      ...(await runRecord(run, context, started)),
    };
  },
};
