import { UserError } from '../../../../protocol/errors';
import type { Graph } from '../../onnx/graph';
import type { AttentionRun } from './attentionRun';
import type { RunBlock } from './runBlocks';

/** The blocks that follow each other on the same tokens, first to last. */
export interface Chain {
  readonly blocks: readonly RunBlock[];
  readonly tokens: number;
  /** Sentences on blocks that are no part of it. */
  readonly notes: readonly string[];
}

/** An encoder–decoder: the decoder's blocks look at the tokens that the encoder's end with. */
export interface CrossChain {
  /** All blocks that take part, in order. */
  readonly blocks: readonly RunBlock[];
  readonly roleOf: (block: RunBlock) => 'encoder' | 'decoder' | 'cross';
  readonly queries: number;
  readonly keys: number;
}

/**
 * The self-attention blocks of the sequence that most of them work on. @throws UserError `unsupported` where there are none that relate all tokens with each
 * other.
 */
export function chainOf(run: AttentionRun): Chain {
  const best = longestSequence(run);
  if (!best) {
    const kinds = [...new Set(run.blocks.map(({ block }) => block.kind))].join(' and ');
    throw new UserError(
      'unsupported',
      `The attention of this model is ${kinds} attention, in which no block relates all tokens with each other, so it does not add up over layers; look at single blocks (raw).`,
    );
  }
  const [tokens, blocks] = best;
  const others = run.blocks.length - blocks.length;
  const notes =
    others > 0
      ? [`${others} of ${run.blocks.length} blocks are left out: they work on other tokens.`]
      : [];
  return { blocks, tokens, notes };
}

/** The block that is shown unasked: the last of the sequence that most blocks work on, else the last of all. */
export const lastBlock = (run: AttentionRun): RunBlock | undefined =>
  longestSequence(run)?.[1].at(-1) ?? run.blocks.at(-1);

/** The blocks of the sequence that most self-attention blocks work on, and its length. */
function longestSequence(
  run: AttentionRun,
): readonly [tokens: number, blocks: readonly RunBlock[]] | undefined {
  const groups = new Map<number, RunBlock[]>();
  for (const block of run.blocks) {
    const tokens = squareSize(block);
    if (tokens !== null) groups.set(tokens, [...(groups.get(tokens) ?? []), block]);
  }
  return [...groups].sort(([, a], [, b]) => b.length - a.length)[0];
}

/** Tokens of a block that relates each token of a sequence with all of it. */
function squareSize({ block }: RunBlock): number | null {
  const { kind, queries, keys } = block;
  return kind === 'self' && typeof queries === 'number' && queries === keys ? queries : null;
}

/** The encoder–decoder that a model is; null where no block looks across. */
export function crossChainOf(run: AttentionRun): CrossChain | null {
  const crossing = run.blocks.filter(({ block }) => block.kind === 'cross');
  const [first] = crossing;
  const queries = first?.block.queries;
  const keys = first?.block.keys;
  if (!first || typeof queries !== 'number' || typeof keys !== 'number') return null;
  const memory = ancestorsOf(
    run.derivatives.model.graph,
    crossing.flatMap(({ block }) => block.keySources),
  );
  const roleOf = (block: RunBlock): 'encoder' | 'decoder' | 'cross' => {
    if (block.block.kind === 'cross') return 'cross';
    return memory.has(block.block.context) ? 'encoder' : 'decoder';
  };
  const blocks = run.blocks.filter(block => {
    const role = roleOf(block);
    if (role === 'cross') return block.block.queries === queries && block.block.keys === keys;
    return squareSize(block) === (role === 'encoder' ? keys : queries);
  });
  return { blocks, roleOf, queries, keys };
}

/** Tensors that some tensors are computed from. */
function ancestorsOf(graph: Graph, tensors: readonly string[]): ReadonlySet<string> {
  const found = new Set(tensors);
  for (const node of graph.nodes.toReversed())
    if (node.outputs.some(name => found.has(name))) for (const name of node.inputs) found.add(name);
  return found;
}
