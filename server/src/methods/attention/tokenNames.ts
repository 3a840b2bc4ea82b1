import type { AttentionBlockFacts, TokenName } from '../../../../protocol/attention';
import type { ValueInfo } from '../../../../protocol/model';
import { toNumbers } from '../../onnx/numbers';
import type { TokenTexts } from '../../text/tokenTexts';
import type { MethodContext } from '../method';
import type { AttentionRun } from './attentionRun';

/** Names of more tokens are not given. */
const MOST_TOKENS = 8192;

/**
 * What the tokens of the sequence that most blocks work on are called: those in front of the grid, or those of a text. Their number where no tokenizer
 * knows them; nothing where tokens are neither.
 */
export async function tokenNames(
  run: AttentionRun,
  blocks: readonly AttentionBlockFacts[],
  tokenizer: string | undefined,
  context: MethodContext,
): Promise<readonly TokenName[]> {
  const main = mainBlock(blocks);
  if (!main) return [];
  if (main.keyGrid) return prefixNames(main.keyGrid.prefixTokens);
  const ids = tokenIds(run, main.keys);
  if (!ids) return [];
  const texts = tokenizer === undefined ? null : await context.tokenTexts(tokenizer);
  return ids.slice(0, MOST_TOKENS).map(id => nameOf(id, texts));
}

const nameOf = (id: number, texts: TokenTexts | null): TokenName =>
  texts?.text(id) ?? { text: String(id), special: false };

/** Of the lengths of keys that self-attention has, the one that most blocks have. */
function mainBlock(blocks: readonly AttentionBlockFacts[]): AttentionBlockFacts | undefined {
  const own = blocks.filter(({ kind, queries, keys }) => kind === 'self' && queries === keys);
  const count = (keys: number): number => own.filter(block => block.keys === keys).length;
  return own.toSorted((a, b) => count(b.keys) - count(a.keys))[0] ?? blocks[0];
}

/** Tokens in front of a grid: the class token, then the distillation token (DeiT) or registers (arXiv 2309.16588). */
export function prefixNames(count: number): readonly TokenName[] {
  return Array.from({ length: count }, (_, at) => ({
    text: at === 0 ? 'class' : count === 2 ? 'distillation' : `register ${at}`,
    special: true,
  }));
}

/** Ids of the first text of an input that holds as many of them as there are tokens; null where none does. */
function tokenIds({ derivatives }: AttentionRun, tokens: number): readonly number[] | null {
  const fits = ({ name, dtype }: ValueInfo): boolean => {
    const fed = derivatives.inputs.get(name);
    return dtype.startsWith('int') && fed?.shape.length === 2 && fed.shape[1] === tokens;
  };
  const candidates = derivatives.model.graph.inputs.filter(fits);
  const named = candidates.find(
    ({ name }) => /(^|_)(input_?)?ids?$|token/i.test(name) && !/type|position/i.test(name),
  );
  const fed = named && derivatives.inputs.get(named.name);
  return fed ? toNumbers({ ...fed, shape: [tokens], data: fed.data.slice(0, tokens) }) : null;
}
