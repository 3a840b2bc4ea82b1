import { describe, test } from 'vitest';
import { attributesOf, type PlainAttribute } from './attributes';
import { checkVjp, type CaseTensor } from './checkVjp';

const LABELS = [0, 3, 1, 1, 2, 0];

const labels = (shape: readonly number[], values = LABELS): CaseTensor => ({
  shape,
  dtype: 'int64',
  values,
});

type Case = readonly [
  scores: readonly number[],
  labels: readonly number[],
  isWeighted: boolean,
  attributes: Readonly<Record<string, PlainAttribute>>,
];

const CASES: readonly Case[] = [
  [[6, 4], [6], false, {}],
  [[6, 4], [6], true, { reduction: 'none' }],
  [[2, 4, 3], [2, 3], true, { reduction: 'sum', ignore_index: 1 }],
  [[2, 4, 3], [2, 3], true, { reduction: 'mean', ignore_index: 0 }],
  [[1, 4, 2, 3], [1, 2, 3], true, { ignore_index: -100 }],
  [[3, 4, 2], [3, 2], false, { reduction: 'none', ignore_index: 3 }],
];

describe.each([12, 13, 22])('losses at opset %i', opset => {
  test.each(CASES)('of %j, labels %j, weighted %s, %j', async (scores, of, isWeighted, more) => {
    const weights = isWeighted ? [{ shape: [4], from: 0.5, to: 2 }] : [];
    const given = {
      opset,
      inputs: [{ shape: scores }, labels(of), ...weights],
      attributes: attributesOf(more),
    };
    await checkVjp('NegativeLogLikelihoodLoss', given);
    await checkVjp('SoftmaxCrossEntropyLoss', given);
    await checkVjp('SoftmaxCrossEntropyLoss', { ...given, outputs: 2 });
    await checkVjp('SoftmaxCrossEntropyLoss', { ...given, outputs: 2, output: 1, check: [0] });
  });
});

test('a label that counts from nowhere and is ignored', () =>
  checkVjp('NegativeLogLikelihoodLoss', {
    opset: 13,
    inputs: [
      { shape: [6, 4], dtype: 'float64' },
      labels([6], [0, -5, 1, 1, -5, 3]),
      { shape: [4], from: 0.5, to: 2, dtype: 'float64' },
    ],
    attributes: attributesOf({ ignore_index: -5 }),
  }));
