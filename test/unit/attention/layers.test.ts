import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { HEAD_STATISTICS, type AttentionMapParams } from '../../../protocol/attention';
import { describeModel } from '../../../server/src/workspace/describeModel';
import { LocalEngine } from '../methods/attribution/localEngine';
import { fixture, floats, largestDifference, references } from './fixtures';

const { vit, decoder } = references;
const target = { kind: 'class', index: 1 } as const;
/** float32 against seven digits of float64. */
const CLOSE = 1e-5;

let engine: LocalEngine;
let request: Pick<AttentionMapParams, 'model' | 'feeds' | 'target'>;
beforeAll(() => {
  engine = new LocalEngine();
  request = {
    model: fixture(vit.model),
    feeds: { input0: engine.feed(floats(vit.input)) },
    target,
  };
});
afterAll(() => engine.dispose());

describe('rollout is that of vit-explain', () => {
  const cases = [
    ['mean', { fusion: 'mean' }],
    ['max', { fusion: 'max' }],
    ['min', { fusion: 'min' }],
    ['discard', { discard: 0.4 }],
  ] as const;
  test.each(cases)('%s', async (name, options) => {
    const { matrix, matrixShape, blocks } = await engine.attentionMap({
      ...{ ...request, method: 'rollout', options, want: 'full' },
    });
    expect(matrixShape).toEqual([1, 8, 8]);
    expect(blocks).toHaveLength(2);
    expect(largestDifference(matrix, vit.rollout[name])).toBeLessThan(CLOSE);
  });
});

test('a row alone is that of the whole matrix', async () => {
  const options = { fusion: 'mean' } as const;
  for (const method of ['rollout', 'gradient-rollout', 'flow', 'raw'] as const) {
    const whole = await engine.attentionMap({ ...request, method, options, want: 'full' });
    const row = await engine.attentionMap({ ...request, method, options, want: 'map' });
    expect(row.matrix).toHaveLength(0);
    expect([row.images, row.rows, row.columns]).toEqual([1, 3, 2]);
    expect(row.token).toBe(0);
    expect(largestDifference(row.map, whole.map)).toBeLessThan(1e-6);
    expect(largestDifference(row.map, whole.matrix.subarray(2, 8))).toBeLessThan(1e-6);
  }
});

test('attention flow is the maximum flow of networkx', async () => {
  const { matrix } = await engine.attentionMap({ ...request, method: 'flow', want: 'full' });
  expect(largestDifference(matrix, vit.flow)).toBeLessThan(CLOSE);
});

test('gradient times attention is that of autograd', async () => {
  const found = await engine.attentionMap({
    ...{ ...request, method: 'gradient-rollout', want: 'full' },
  });
  expect(largestDifference(found.matrix, vit.relevance)).toBeLessThan(CLOSE);
  expect(found.target).toMatchObject({ classIndex: 1 });
  expect(found.target?.score).toBeCloseTo(vit.scores[1] ?? NaN, 5);
  for (const index of [0, 1]) {
    const values = await engine.attentionValues({ ...request, index, gradientOf: target });
    const from = index * 128;
    expect(
      largestDifference(values.gradient ?? [], vit.gradients.slice(from, from + 128)),
    ).toBeLessThan(CLOSE);
  }
});

test('across encoder and decoder the rules of the paper hold', async () => {
  const found = await engine.attentionMap({
    model: fixture(decoder.model),
    feeds: {
      input0: engine.feed(floats(decoder.memory)),
      input1: engine.feed(floats(decoder.queries)),
    },
    target: { kind: 'element', tensor: await outputOf(decoder.model), index: [0, 1, 0] },
    method: 'gradient-rollout',
    want: 'full',
  });
  expect(found.matrixShape).toEqual([1, 3, 5]);
  expect(largestDifference(found.matrix, decoder.relevance)).toBeLessThan(CLOSE);
});

async function outputOf(model: string): Promise<string> {
  const { description } = await describeModel(fixture(model), []);
  return description.outputs[0]?.name ?? '';
}

test('removing a head changes the score as it does in PyTorch', async () => {
  const { target: whole, blocks, effects } = await engine.headAblation(request);
  expect(whole.score).toBeCloseTo(vit.scores[1] ?? NaN, 5);
  expect(blocks.map(({ heads }) => heads)).toEqual([2, 2]);
  expect(largestDifference(effects, vit.effects)).toBeLessThan(CLOSE);
});

test('what is said of heads is what NumPy says', async () => {
  const { statistics, blocks, tokens } = await engine.attention(request);
  expect(statistics).toHaveLength(4 * HEAD_STATISTICS.length);
  expect(largestDifference(statistics, vit.statistics)).toBeLessThan(CLOSE);
  expect(blocks).toMatchObject([{ kind: 'self' }, { kind: 'self' }]);
  expect(tokens.map(({ text }) => text)).toEqual(['class', 'distillation']);
});
