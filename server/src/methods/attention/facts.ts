import type { AttentionBlockFacts } from '../../../../protocol/attention';
import type { AttentionRun } from './attentionRun';
import type { HeadMatrices } from './canonical';
import type { RunBlock } from './runBlocks';
import { layoutOf } from './tokenLayout';
import type { WindowPlaces } from './windows';

/** What is known of a block once its weights are. */
export function blockFacts(
  { derivatives }: AttentionRun,
  { block, id, from }: RunBlock,
  matrices: HeadMatrices,
  windows: WindowPlaces | null,
  difference: number | null,
): AttentionBlockFacts {
  const { graph } = derivatives.model;
  const { batch, heads, queries, keys } = matrices;
  const known = (name: string): readonly number[] | null => derivatives.shapeOf(name);
  return {
    id,
    layer: id,
    kind: block.kind,
    causal: block.causal || looksBackOnly(matrices),
    heads,
    keyHeads: typeof block.keyHeads === 'number' ? block.keyHeads : null,
    batch,
    queries,
    keys,
    queryGrid: layoutOf(graph, block, 'queries', queries, known),
    keyGrid: layoutOf(graph, block, 'keys', keys, known),
    windowsOf: windows?.grid ?? null,
    from,
    difference,
  };
}

/** True where no query of more than one has weight on a key behind its own place; places count from the last. */
function looksBackOnly({ batch, heads, queries, keys, values }: HeadMatrices): boolean {
  if (queries < 2 || keys < queries) return false;
  const past = keys - queries;
  for (let row = 0; row < batch * heads * queries; row++) {
    const query = row % queries;
    for (let key = past + query + 1; key < keys; key++)
      if ((values[row * keys + key] ?? 0) > 0) return false;
  }
  return true;
}
