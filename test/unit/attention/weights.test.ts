import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ModelFeeds } from '../../../protocol/methods';
import { LocalEngine } from '../methods/attribution/localEngine';
import {
  fixture,
  inputOf,
  largestDifference,
  patterns,
  references,
  type Pattern,
} from './fixtures';

let engine: LocalEngine;
beforeAll(() => {
  engine = new LocalEngine();
});
afterAll(() => engine.dispose());

const feedsOf = ({ inputs }: Pattern): ModelFeeds =>
  Object.fromEntries(
    Object.entries(inputs).map(([name, input]) => [name, engine.feed(inputOf(input))]),
  );

describe('weights are those of PyTorch in float64', () => {
  const some = patterns.filter(({ blocks }) => blocks.length > 0);
  // float32 against seven digits of float64: a few units of the seventh digit of a weight
  test.each(some)('$name', async pattern => {
    const request = { model: fixture(pattern.model), feeds: feedsOf(pattern) };
    for (const [index, block] of pattern.blocks.entries()) {
      const { shape, probabilities } = await engine.attentionValues({ ...request, index });
      expect(shape).toEqual(block.shape);
      expect(largestDifference(probabilities, block.probabilities)).toBeLessThan(1e-5);
    }
  });
});

test('what an operator hides is rebuilt, and its output comes out again', async () => {
  const pattern = patterns.find(({ name }) => name === 'fusedCausal');
  if (!pattern) throw new Error('there is no fusedCausal');
  const { blocks } = await engine.attention({
    model: fixture(pattern.model),
    feeds: feedsOf(pattern),
  });
  expect(blocks).toMatchObject([{ from: 'rebuilt', causal: true, heads: 3 }]);
  expect(blocks[0]?.difference).toBeLessThan(1e-4);
});

describe('matrices for a view', () => {
  const pattern = patterns.find(({ name }) => name === 'windowed');
  if (!pattern) throw new Error('there is no windowed');

  test('weights come as bytes with a scale for each row', async () => {
    const request = { model: fixture(pattern.model), feeds: feedsOf(pattern) };
    const exact = await engine.attentionValues({ ...request, index: 0 });
    const { blocks } = await engine.attention(request);
    const id = blocks[0]?.id ?? '';
    const { values, scales } = await engine.attentionMatrices({
      ...request,
      blocks: [id],
      image: 1,
    });
    const own = exact.probabilities.subarray(exact.probabilities.length / 2);
    const keys = exact.shape.at(-1) ?? 1;
    const got = Array.from(values, (byte, at) => {
      const scale = scales[Math.floor(at / keys)] ?? NaN;
      return scale * (byte / 255) ** 2;
    });
    // half a step of the square root at the top of a row
    expect(largestDifference(got, own)).toBeLessThan(1 / 255);
  });

  test('the places of windows are those of the picture, shift and all', async () => {
    const request = { model: fixture(pattern.model), feeds: feedsOf(pattern) };
    const { blocks } = await engine.attention(request);
    expect(blocks).toMatchObject([{ windowsOf: { rows: 4, columns: 6 }, batch: 12, queries: 4 }]);
    const found = await engine.attentionMatrices({ ...request, blocks: [blocks[0]?.id ?? ''] });
    const [block] = found.blocks;
    expect(block).toMatchObject({ windows: 6, heads: 3, queries: 4, keys: 4 });
    expect([...(block?.places ?? [])]).toEqual(references.windowPlaces);
  });

  test('one window on the whole grid: a row adds up to 1 there', async () => {
    const request = { model: fixture(pattern.model), feeds: feedsOf(pattern) };
    const { blocks } = await engine.attention(request);
    const { map, rows, columns, images } = await engine.attentionMap({
      ...{ ...request, method: 'raw', target: { kind: 'sum' }, want: 'map', token: 9 },
      options: { block: blocks[0]?.id ?? '' },
    });
    expect([images, rows, columns]).toEqual([2, 4, 6]);
    expect(map.subarray(0, 24).reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);
    expect(map.subarray(0, 24).filter(weight => weight > 0)).toHaveLength(4);
  });
});

test('a token: where it looks and who looks at it', async () => {
  const pattern = patterns.find(({ name }) => name === 'cross');
  if (!pattern) throw new Error('there is no cross');
  const request = { model: fixture(pattern.model), feeds: feedsOf(pattern) };
  const { probabilities } = await engine.attentionValues({ ...request, index: 0 });
  const { blocks } = await engine.attentionToken({ ...request, token: 6, image: 1 });
  // the token is no query: there are five
  expect(blocks[0]?.looksAt).toHaveLength(0);
  const wanted = Array.from({ length: 15 }, (_, row) => probabilities[105 + row * 7 + 6] ?? NaN);
  expect(largestDifference(blocks[0]?.seenBy ?? [], wanted)).toBe(0);
});
