import type {
  AttentionMapParams,
  AttentionMapResult,
  TokenLayout,
} from '../../../../protocol/attention';
import { UserError } from '../../../../protocol/errors';
import type { Tensor } from '../../onnx/tensor';
import { resolved, resolveTarget, type Target } from '../attribution/targets';
import type { Method } from '../method';
import { AttentionRun } from './attentionRun';
import { mapPlan, planGrids, type MapPlan } from './mapPlan';
import { runRecord } from './record';
import { spread, type Spread, type SpreadRequest } from './spread';

/** Attention over all layers, or of one: see `AttentionMapParams`. @throws what preparing, targets and gradients throw; `tooLarge`, `outOfRange`. */
export const attentionMap: Method<'attentionMap'> = {
  name: 'attentionMap',
  runs: true,
  async compute(params, context) {
    const started = performance.now();
    const run = await AttentionRun.open(context, params.feeds);
    const plan = await mapPlan(run, params.method, params.options?.block);
    const target =
      params.method === 'gradient-rollout'
        ? await resolveTarget(params.target, run.derivatives, context)
        : null;
    const grids = planGrids(run, plan);
    const token = tokenOf(params.token, grids.queries, plan);
    const options = optionsOf(params);
    const row = params.want === 'map' ? token : undefined;
    const { method } = params;
    const found = await spread(run, context, plan, { method, options, target, row });
    return {
      method: params.method,
      blocks: plan.blocks.map(({ id }) => id),
      target: target && resolved(target, await valueOf(run, target)),
      matrix: params.want === 'full' ? Float32Array.from(found.values) : new Float32Array(0),
      matrixShape: [found.batch, found.queries, found.keys],
      ...mapOf(found, grids.keys, token),
      token,
      grid: grids.keys,
      geometry: await context.geometry(params.feeds),
      options: { ...options },
      notes: [...run.notes, ...plan.notes, ...gridNotes(grids.keys, plan)],
      gradientMs: run.derivatives.times.gradientMs,
      ...(await runRecord(run, context, started)),
    };
  },
};

/** The options with their defaults. @throws UserError `usage`. */
function optionsOf({ options = {} }: AttentionMapParams): SpreadRequest['options'] {
  const { fusion = 'mean', discard = 0, residual = true } = options;
  if (!(discard >= 0 && discard < 1))
    throw new UserError(
      'usage',
      `The share that is discarded is from 0 to below 1; ${discard} is not.`,
    );
  return { fusion, discard, residual };
}

/** The query that was asked for, else the class token, else none: the mean of all. @throws UserError `outOfRange`. */
function tokenOf(
  asked: number | undefined,
  grid: TokenLayout | null,
  { queries }: MapPlan,
): number | null {
  if (asked === undefined) return grid && grid.prefixTokens > 0 ? 0 : null;
  if (Number.isInteger(asked) && asked >= 0 && asked < queries) return asked;
  throw new UserError(
    'outOfRange',
    `There are ${queries} tokens (0 to ${queries - 1}); ${asked} is none of them.`,
  );
}

/** The row of the query in each image, on the grid of the keys where they have one. */
function mapOf(
  { batch, queries, keys, values }: Spread,
  grid: TokenLayout | null,
  token: number | null,
): Pick<AttentionMapResult, 'map' | 'rows' | 'columns' | 'images'> {
  const prefix = grid?.prefixTokens ?? 0;
  const places = keys - prefix;
  const map = new Float32Array(batch * places);
  const rows = queries === 1 ? [0] : token === null ? [...Array(queries).keys()] : [token];
  for (let image = 0; image < batch; image++)
    for (let place = 0; place < places; place++) {
      let sum = 0;
      for (const row of rows) sum += values[(image * queries + row) * keys + prefix + place] ?? 0;
      map[image * places + place] = sum / rows.length;
    }
  return { map, rows: grid?.rows ?? 1, columns: grid?.columns ?? places, images: batch };
}

const gridNotes = (grid: TokenLayout | null, { keys }: MapPlan): string[] =>
  grid
    ? []
    : [
        `The ${keys} tokens lie on no grid that the model tells, so there is no map on a picture; look at the weights themselves.`,
      ];

async function valueOf({ derivatives }: AttentionRun, { tensor }: Target): Promise<Tensor> {
  const value = (await derivatives.values([tensor])).get(tensor);
  if (!value) throw new Error(`the run gave no ${tensor}`);
  return value;
}
