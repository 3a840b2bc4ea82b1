import type { AttentionMethod, TokenLayout } from '../../../../protocol/attention';
import { UserError } from '../../../../protocol/errors';
import type { AttentionRun } from './attentionRun';
import { chainOf, crossChainOf, lastBlock, type CrossChain } from './chain';
import type { RunBlock } from './runBlocks';
import { layoutOf } from './tokenLayout';
import { windowPlaces, type WindowPlaces } from './windows';

/** Which blocks a map over layers is made of, and what its rows and columns are. */
export type MapPlan = {
  readonly blocks: readonly RunBlock[];
  readonly queries: number;
  readonly keys: number;
  readonly notes: readonly string[];
} &
  /** `windows`: the places of all windows; queries and keys are those of the grid that they are cut from. */
  (
    | { readonly kind: 'single'; readonly windows: WindowPlaces | null }
    | { readonly kind: 'chain' }
    | { readonly kind: 'cross'; readonly roleOf: CrossChain['roleOf'] }
  );

/** @throws UserError `unsupported`, `layerNotFound`. */
export async function mapPlan(
  run: AttentionRun,
  method: AttentionMethod,
  id: string | undefined,
): Promise<MapPlan> {
  if (method === 'raw') {
    const block = id === undefined ? lastBlock(run) : run.block(id);
    if (block) return single(run, block);
  }
  const cross = method === 'gradient-rollout' ? crossChainOf(run) : null;
  if (cross) return { ...cross, kind: 'cross', notes: [] };
  const { tokens, blocks, notes } = chainOf(run);
  return { kind: 'chain', blocks, queries: tokens, keys: tokens, notes };
}

async function single(run: AttentionRun, block: RunBlock): Promise<MapPlan> {
  const windows = await windowPlaces(run, block);
  const places = windows && windows.grid.rows * windows.grid.columns;
  const { queries, keys } = block.block;
  if (typeof queries !== 'number' || typeof keys !== 'number')
    throw new UserError(
      'unsupported',
      `How many tokens ${block.id} relates depends on the values of a run; choose another block.`,
    );
  return {
    kind: 'single',
    windows,
    blocks: [block],
    queries: places ?? queries,
    keys: places ?? keys,
    notes: [],
  };
}

/** The grids of a plan's queries and keys; null where they lie on none. */
export function planGrids(
  { derivatives }: AttentionRun,
  plan: MapPlan,
): { readonly queries: TokenLayout | null; readonly keys: TokenLayout | null } {
  if (plan.kind === 'single' && plan.windows)
    return { queries: plan.windows.grid, keys: plan.windows.grid };
  const { graph } = derivatives.model;
  const known = (name: string): readonly number[] | null => derivatives.shapeOf(name);
  const block =
    plan.kind === 'cross'
      ? plan.blocks.findLast(each => plan.roleOf(each) === 'cross')
      : plan.blocks.at(-1);
  if (!block) return { queries: null, keys: null };
  return {
    queries: layoutOf(graph, block.block, 'queries', plan.queries, known),
    keys: layoutOf(graph, block.block, 'keys', plan.keys, known),
  };
}
