import type { TokenLayout } from '../../../../protocol/attention';
import type { ValueInfo } from '../../../../protocol/model';
import type { AttentionBlock } from '../../onnx/attention';
import type { Graph } from '../../onnx/graph';
import { precedingMaps, type KnownShape } from '../mapHints';
import { tokenGrid, type TokenGrid } from '../mapView';

/** Tokens in front of the grid: more are none. */
const MOST_PREFIX_TOKENS = 16;
/** Times that a grid is halved on the way (hierarchical Transformers merge patches). */
const MOST_HALVINGS = 5;

/**
 * How many tokens are laid out: on the map that they were made of (the patch embedding, whose stride and the input's size make the grid), or on that map
 * halved in both directions, the nearest first; where there is none, as a square where the model sees pictures. Null: on no grid.
 * `sources` are the tensors that queries or keys are projected from.
 */
export function tokenLayout(
  graph: Graph,
  sources: readonly string[],
  tokens: number,
  known: KnownShape,
): TokenLayout | null {
  const maps = sources.flatMap(source => mapsBefore(graph, source, known));
  const exact = maps.flatMap(halvings).find(({ rows, columns }) => rows * columns === tokens);
  if (exact) return { ...exact, prefixTokens: 0 };
  const prefixed = maps.find(({ rows, columns }) => isPrefix(tokens - rows * columns));
  if (prefixed) return withPrefix(prefixed, tokens);
  if (maps.length > 0 || !graph.inputs.some(isPicture)) return null;
  const square = tokenGrid(tokens, { grid: null, picture: true });
  return square && withPrefix(square, tokens);
}

/** A picture by its rank and number of channels, and no past state of a text model by its name. */
const isPicture = ({ name, shape }: ValueInfo): boolean =>
  shape?.length === 4 &&
  [shape[1], shape[3]].some(size => size === 1 || size === 3 || size === 4) &&
  !/past|cache|key|value|mask/i.test(name);

/** The layout of a window; windows are square unless the graph says otherwise. */
export function windowLayout(tokens: number): TokenLayout | null {
  const side = Math.sqrt(tokens);
  return Number.isInteger(side) && side > 1 ? { rows: side, columns: side, prefixTokens: 0 } : null;
}

/** The layout of a block's queries or keys; null where they lie on no grid. */
export function layoutOf(
  graph: Graph,
  block: Pick<AttentionBlock, 'kind' | 'querySources' | 'keySources'>,
  side: 'queries' | 'keys',
  tokens: number,
  known: KnownShape,
): TokenLayout | null {
  if (block.kind === 'channel') return null;
  if (block.kind === 'windowed') return windowLayout(tokens);
  if (block.kind === 'class' && side === 'queries') return null;
  const sources = side === 'queries' ? block.querySources : block.keySources;
  return tokenLayout(graph, sources, tokens, known);
}

function mapsBefore(graph: Graph, source: string, known: KnownShape): TokenGrid[] {
  return [source, ...precedingMaps(graph, source, known)].flatMap(name => {
    const shape = known(name);
    const [, , rows = 1, columns = 1] = shape ?? [];
    return shape?.length === 4 && name !== source && rows * columns > 1 ? [{ rows, columns }] : [];
  });
}

const halvings = ({ rows, columns }: TokenGrid): TokenGrid[] =>
  Array.from({ length: MOST_HALVINGS + 1 }, (_, times) => ({
    rows: Math.ceil(rows / 2 ** times),
    columns: Math.ceil(columns / 2 ** times),
  }));

const isPrefix = (count: number): boolean => count > 0 && count <= MOST_PREFIX_TOKENS;

const withPrefix = (grid: TokenGrid, tokens: number): TokenLayout => ({
  rows: grid.rows,
  columns: grid.columns,
  prefixTokens: tokens - grid.rows * grid.columns,
});
