import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { UserError } from '../../../protocol/errors';
import { prefixNames } from '../../../server/src/methods/attention/tokenNames';
import { readTokenTexts } from '../../../server/src/text/tokenTexts';
import { findTokenizer } from '../../../server/src/workspace/tokenizer';
import { fixture, references } from './fixtures';

const content = (name: string): string => readFileSync(fixture(name), 'utf8');

describe('texts of tokens', () => {
  test('of tokenizer.json are those of the tokenizers package', () => {
    const { ids, texts } = references.tokenizer;
    const tokenizer = readTokenTexts('tokenizer.json', content('tokenizer.json'));
    const found = ids.map(id => tokenizer.text(id));
    // halves of a character have no text: the package gives U+FFFD, here they keep their code
    expect(
      found.map((each, at) => (texts[at]?.includes('\uFFFD') ? texts[at] : each?.text)),
    ).toEqual(texts);
    expect(found.at(-1)).toEqual({ text: '<|end|>', special: true });
    expect(tokenizer.text(5000)).toBeNull();
  });

  test('of vocab.txt are its lines', () => {
    const vocabulary = readTokenTexts('vocab.txt', content('vocab.txt'));
    expect(vocabulary.text(5)).toEqual({ text: 'cat', special: false });
    expect(vocabulary.text(7)).toEqual({ text: '##s', special: false });
    expect(vocabulary.text(2)).toEqual({ text: '[CLS]', special: true });
    expect(vocabulary.text(10)).toBeNull();
  });

  test.each(['{"a": 1}', 'no json', '[]', 'null'])('%s is no tokenizer', text => {
    expect(() => readTokenTexts('tokenizer.json', text)).toThrow(UserError);
  });
});

test('the tokenizer beside a model is found', async () => {
  expect(await findTokenizer(fixture('smallVit.onnx'))).toBe(fixture('tokenizer.json'));
});

test('tokens in front of a grid have names', () => {
  const names = (count: number) => prefixNames(count).map(({ text }) => text);
  expect(names(1)).toEqual(['class']);
  expect(names(2)).toEqual(['class', 'distillation']);
  expect(names(5)).toEqual(['class', 'register 1', 'register 2', 'register 3', 'register 4']);
});
