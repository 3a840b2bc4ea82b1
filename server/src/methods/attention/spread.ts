import { UserError } from '../../../../protocol/errors';
import type { AttentionMapOptions, AttentionMethod } from '../../../../protocol/attention';
import type { Target } from '../attribution/targets';
import type { MethodContext } from '../method';
import type { AttentionRun } from './attentionRun';
import { FlowNetwork } from './flow';
import { fuseHeads, type FusedMatrices } from './fuse';
import { withGradients } from './gradients';
import type { MapPlan } from './mapPlan';
import { CrossRelevance, gradientWeighted } from './relevance';
import { Carried, rolloutMatrix } from './rollout';
import { unwindowed } from './unwindowed';

/** What is asked of attention over layers. */
export interface SpreadRequest {
  readonly method: AttentionMethod;
  readonly options: Required<Omit<AttentionMapOptions, 'block'>>;
  /** Of methods with gradients. */
  readonly target: Target | null;
  /** One row is enough: that of a query, or (null) the mean of all. Undefined: the whole matrix. */
  readonly row: number | null | undefined;
}

/** [batch, queries, keys], or [batch, 1, keys] where a row was asked for. */
export type Spread = FusedMatrices;

/** Tokens of which a whole matrix over layers is made: it takes the cube of their number. */
const MOST_TOKENS = 1536;
/** Edges times flows of attention flow: some minutes. */
const MOST_FLOW = 2e8;

/** How much each query takes from each key over the layers of a plan. @throws UserError `tooLarge`, NoGradientError. */
export async function spread(
  run: AttentionRun,
  context: MethodContext,
  plan: MapPlan,
  request: SpreadRequest,
): Promise<Spread> {
  if (request.row === undefined || plan.kind === 'cross') assertSquare(plan);
  if (plan.kind === 'cross') return acrossLayers(run, plan, request);
  const layers = await layersOf(run, plan, request);
  const [first] = layers;
  if (!first) throw new Error('there is no layer');
  if (plan.kind === 'single') {
    if (plan.windows) return unwindowed(first, plan.windows, request.row);
    return request.row === undefined ? first : rowOf(first, request.row);
  }
  if (request.method === 'flow') return flowThrough(layers, request.row, context);
  const adds = request.method === 'gradient-rollout';
  if (request.row !== undefined) return rowThrough(layers, request.row, adds);
  const carried = new Carried(first.batch, first.queries, adds);
  for (const layer of layers) {
    carried.through(layer);
    context.signal.throwIfAborted();
  }
  return { ...first, values: carried.matrix };
}

function assertSquare({ queries, keys }: MapPlan): void {
  const tokens = Math.max(queries, keys);
  if (tokens <= MOST_TOKENS) return;
  throw new UserError(
    'tooLarge',
    `${tokens} tokens are too many for a matrix over all layers (at most ${MOST_TOKENS}); feed a shorter sequence or a smaller picture.`,
  );
}

/** The matrix of each layer, first to last, heads made one. */
async function layersOf(
  run: AttentionRun,
  { blocks }: MapPlan,
  { method, options, target }: SpreadRequest,
): Promise<FusedMatrices[]> {
  const layers: FusedMatrices[] = [];
  if (target)
    for await (const { matrices, gradient } of withGradients(run, blocks, target))
      layers.push(gradientWeighted(matrices, gradient));
  else
    for await (const { matrices } of run.each(blocks)) {
      const fused = fuseHeads(matrices, options.fusion);
      layers.push(method === 'raw' ? fused : rolloutMatrix(fused, options));
    }
  return layers;
}

async function acrossLayers(
  run: AttentionRun,
  plan: Extract<MapPlan, { kind: 'cross' }>,
  { target, row }: SpreadRequest,
): Promise<Spread> {
  if (!target) throw new Error('relevance needs a target');
  let relevance: CrossRelevance | null = null;
  for await (const { block, matrices, gradient } of withGradients(run, plan.blocks, target)) {
    relevance ??= new CrossRelevance(matrices.batch, plan.queries, plan.keys);
    relevance.through(plan.roleOf(block), gradientWeighted(matrices, gradient));
  }
  if (!relevance) throw new Error('there is no layer');
  const whole = {
    batch: relevance.batch,
    queries: plan.queries,
    keys: plan.keys,
    values: relevance.matrix,
  };
  return row === undefined ? whole : rowOf(whole, row);
}

/** A row of each image's matrix, or the mean of all rows. */
function rowOf({ batch, queries, keys, values }: FusedMatrices, row: number | null): Spread {
  const out = new Float64Array(batch * keys);
  const rows = row === null ? Array.from({ length: queries }, (_, query) => query) : [row];
  for (let image = 0; image < batch; image++)
    for (const query of rows)
      for (let key = 0; key < keys; key++)
        out[image * keys + key] =
          (out[image * keys + key] ?? 0) +
          (values[(image * queries + query) * keys + key] ?? 0) / rows.length;
  return { batch, queries: 1, keys, values: out };
}

/** One row of the product of all layers, from the last layer to the first: r = r · A, or r = r + r · A. */
function rowThrough(layers: readonly FusedMatrices[], row: number | null, adds: boolean): Spread {
  const { batch = 1, queries = 1 } = layers[0] ?? {};
  let values = new Float64Array(batch * queries);
  for (let image = 0; image < batch; image++)
    for (let token = 0; token < queries; token++)
      values[image * queries + token] = row === null ? 1 / queries : token === row ? 1 : 0;
  for (const layer of layers.toReversed()) {
    const next = adds ? Float64Array.from(values) : new Float64Array(values.length);
    for (let at = 0; at < values.length; at++) {
      const share = values[at] ?? 0;
      if (share === 0) continue;
      const to = Math.floor(at / queries) * queries;
      for (let key = 0; key < queries; key++)
        next[to + key] = (next[to + key] ?? 0) + share * (layer.values[at * queries + key] ?? 0);
    }
    values = next;
  }
  return { batch, queries: 1, keys: queries, values };
}

async function flowThrough(
  layers: readonly FusedMatrices[],
  row: number | null | undefined,
  context: MethodContext,
): Promise<Spread> {
  const { batch = 1, queries: tokens = 1 } = layers[0] ?? {};
  const single = typeof row === 'number';
  const outputs = single ? [row] : Array.from({ length: tokens }, (_, token) => token);
  if (batch * outputs.length * tokens * layers.length * tokens * tokens > MOST_FLOW)
    throw new UserError(
      'tooLarge',
      `Attention flow of ${tokens} tokens through ${layers.length} layers takes too long; choose rollout, or a smaller picture.`,
    );
  const out = new Float64Array(batch * outputs.length * tokens);
  let done = 0;
  for (let image = 0; image < batch; image++) {
    const size = tokens * tokens;
    const parts = layers.map(({ values }) => values.subarray(image * size, (image + 1) * size));
    const network = new FlowNetwork(parts, tokens);
    for (const output of outputs)
      for (let input = 0; input < tokens; input++) {
        out[done++] = network.between(output, input);
        context.report({ fraction: done / out.length, message: 'Attention flow' });
        // lets a cancellation in
        await new Promise(resolve => setImmediate(resolve));
        context.signal.throwIfAborted();
      }
  }
  const whole = { batch, queries: outputs.length, keys: tokens, values: out };
  return row === null ? rowOf(whole, null) : whole;
}
