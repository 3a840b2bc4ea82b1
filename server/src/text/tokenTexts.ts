import { Tokenizer } from '@huggingface/tokenizers';
import { UserError } from '../../../protocol/errors';

/** The texts that token ids stand for. */
export interface TokenTexts {
  /** Null for ids that the tokenizer does not have. */
  text(id: number): { readonly text: string; readonly special: boolean } | null;
}

/**
 * Reads a tokenizer: `tokenizer.json` (Hugging Face), or `vocab.txt` with one token on each line (BERT). `name` is the file's, for messages.
 * @throws UserError `badArray` for files that are none.
 */
export function readTokenTexts(name: string, content: string): TokenTexts {
  return name.toLowerCase().endsWith('.txt')
    ? ofVocabulary(name, content)
    : ofTokenizer(name, content);
}

/** `[CLS]`, `<pad>`, `<|endoftext|>`. */
const SPECIAL = /^(\[[A-Za-z0-9_ ]+\]|<[^<>]+>)$/;

function ofVocabulary(name: string, content: string): TokenTexts {
  const lines = content.replace(/\r?\n$/, '').split(/\r?\n/);
  if (lines.length < 2) throw notATokenizer(name, 'it holds no list of tokens');
  return {
    text: id => {
      const text = lines[id];
      return text === undefined ? null : { text, special: SPECIAL.test(text) };
    },
  };
}

function ofTokenizer(name: string, content: string): TokenTexts {
  const tokenizer = parsed(name, content);
  const added = tokenizer.get_added_tokens_decoder();
  return {
    text: id => {
      const token = tokenizer.id_to_token(id);
      if (token === undefined) return null;
      const special = added.get(id)?.special ?? false;
      return { text: special ? token : readable(tokenizer, id, token), special };
    },
  };
}

function parsed(name: string, content: string): Tokenizer {
  try {
    const json: unknown = JSON.parse(content);
    if (typeof json !== 'object' || json === null || !('model' in json))
      throw new Error('it has no "model"');
    return new Tokenizer(json, {});
  } catch (error) {
    throw notATokenizer(name, error instanceof Error ? error.message : String(error));
  }
}

const notATokenizer = (name: string, reason: string): UserError =>
  new UserError('badArray', `${name} cannot be read as a tokenizer: ${reason}.`);

/** The text that a token stands for; parts of words keep the mark that they continue one, parts of characters their code. */
function readable(tokenizer: Tokenizer, id: number, token: string): string {
  if (token.startsWith('##')) return token;
  const text = tokenizer.decode([id], {
    skip_special_tokens: false,
    clean_up_tokenization_spaces: false,
  });
  return text === '' || text.includes('\uFFFD') ? token : text;
}
