import { describe, expect, it } from 'vitest';
import type { AttributionTargetsResult, ResolvedTarget } from '../../../protocol/attribution';
import {
  explainedWords,
  targetItems,
  targetOfValue,
  targetValue,
  targetWords,
} from '../../../webview/src/lib/targetWords';
import {
  boxAt,
  channelItem,
  classOf,
  differenceOf,
  menuTarget,
  outlinesOf,
  replaceTarget,
} from '../../../webview/src/viewer/heatmapTargetModel';

const labels = ['cat', 'dog', 'hen'];
const predicted = [
  { index: 1, score: 5, probability: 0.9 },
  { index: 0, score: 2, probability: 0.1 },
];
const targets: AttributionTargetsResult = {
  kind: 'detections',
  predicted: null,
  classCount: 3,
  detections: [
    { box: { left: 0, top: 0, right: 1, bottom: 1 }, classIndex: 2, score: 0.8 },
    { box: { left: 0.2, top: 0.2, right: 0.4, bottom: 0.4 }, classIndex: 0, score: 0.7 },
  ],
  segments: [{ classIndex: 1, share: 0.25 }],
  suggestedLayer: null,
  layersWithGrid: [],
  times: { loadMs: 0, forwardMs: 0, totalMs: 0 },
  warnings: [],
};
const known = { labels, predicted, targets: null };

const resolved = (target: Partial<ResolvedTarget>): ResolvedTarget => ({
  spec: { kind: 'top' },
  tensor: 'logits',
  index: [0, 1],
  classIndex: null,
  score: 5,
  words: 'class 1',
  ...target,
});

describe('targets in words', () => {
  it('names what is explained', () => {
    expect(explainedWords(resolved({ classIndex: 1 }), labels)).toBe('“dog”');
    expect(explainedWords(resolved({ classIndex: 9 }), labels)).toBe('“class 9”');
    const difference = { kind: 'difference', index: 1, minus: 0 } as const;
    expect(explainedWords(resolved({ spec: difference }), labels)).toBe('“dog” rather than “cat”');
    const box = resolved({ spec: { kind: 'box', index: 1 }, classIndex: 2, words: 'detection 1' });
    expect(explainedWords(box, labels)).toBe('detection 2, “hen”');
    const sum = resolved({ spec: { kind: 'sum' }, words: 'the sum of logits' });
    expect(explainedWords(sum, labels)).toBe('the sum of logits');
  });

  it('says what was chosen', () => {
    expect(targetWords({ kind: 'top' }, known)).toBe('Highest: dog');
    expect(targetWords({ kind: 'top' }, { ...known, predicted: null })).toBe('Highest');
    const other = { ...targets, detections: [], kind: 'segmentation' } as const;
    expect(targetWords({ kind: 'top' }, { labels, predicted: null, targets })).toBe(
      'Best detection: hen',
    );
    expect(targetWords({ kind: 'top' }, { labels, predicted: null, targets: other })).toBe(
      'Sum of the output',
    );
    expect(targetWords({ kind: 'box', index: 1 }, { ...known, targets })).toBe('Detection 2: cat');
    expect(targetWords({ kind: 'mask', class: 1 }, known)).toBe('“dog” where it is the highest');
  });

  it('lists the likeliest first, boxes and areas of the picture, then all classes', () => {
    const items = targetItems({ labels, predicted, targets });
    expect(items.map(line => [line.group, line.label])).toEqual([
      ['', 'Highest'],
      ['Likeliest', 'dog'],
      ['Likeliest', 'cat'],
      ['Detections', '1: hen'],
      ['Detections', '2: cat'],
      ['Areas', 'dog'],
      ['All 3 classes', 'cat'],
      ['All 3 classes', 'dog'],
      ['All 3 classes', 'hen'],
      ['Other', 'Sum of the output'],
    ]);
    for (const line of items) expect(targetOfValue(items, line.value)).toEqual(line.target);
    expect(targetOfValue(items, 'something else')).toBeNull();
  });

  it('lists no classes of a model that gives no class scores', () => {
    const items = targetItems({
      labels,
      predicted: null,
      targets: { ...targets, classCount: null },
    });
    expect(items.some(line => line.group?.startsWith('All'))).toBe(false);
  });
});

describe('why this and not that', () => {
  const top = { kind: 'top' } as const;
  const dog = { kind: 'class', index: 1 } as const;

  it('sets a class against another, and takes it back', () => {
    expect(differenceOf(top, 0, predicted)).toEqual({ kind: 'difference', index: 1, minus: 0 });
    expect(differenceOf(dog, 2, null)).toEqual({ kind: 'difference', index: 1, minus: 2 });
    expect(differenceOf({ kind: 'difference', index: 1, minus: 2 }, null, null)).toEqual(dog);
    expect(differenceOf(top, null, predicted)).toEqual(top);
    expect(differenceOf(dog, 1, null)).toEqual(dog);
    expect(differenceOf({ kind: 'sum' }, 1, predicted)).toEqual({ kind: 'sum' });
  });

  it('keeps what it is set against when another class is chosen', () => {
    const difference = { kind: 'difference', index: 1, minus: 2 } as const;
    expect(replaceTarget(difference, { kind: 'class', index: 0 })).toEqual({
      ...difference,
      index: 0,
    });
    expect(replaceTarget(difference, { kind: 'class', index: 2 })).toEqual({
      kind: 'class',
      index: 2,
    });
    expect(replaceTarget(difference, top)).toEqual(top);
  });

  it('has a class where the target is one', () => {
    expect(classOf(top, predicted)).toBe(1);
    expect(classOf(top, null)).toBeNull();
    expect(classOf({ kind: 'sum' }, predicted)).toBeNull();
  });
});

describe('targets on the picture', () => {
  it('are picked by the smallest box', () => {
    expect(boxAt(targets.detections, { x: 0.3, y: 0.3 })).toBe(1);
    expect(boxAt(targets.detections, { x: 0.9, y: 0.9 })).toBe(0);
    expect(boxAt([], { x: 0.5, y: 0.5 })).toBeNull();
  });

  it('are outlined: all boxes, or the region of a class', () => {
    const boxes = outlinesOf({ kind: 'box', index: 1 }, { labels, predicted, targets }, null);
    expect(boxes.map(({ label, short, chosen }) => [label, short, chosen])).toEqual([
      ['1 hen', '1', false],
      ['2 cat', '2', true],
    ]);
    const region = { left: 0, top: 0, right: 0.5, bottom: 0.5 };
    const mask = { kind: 'mask', class: 1 } as const;
    expect(outlinesOf(mask, known, null)).toEqual([]);
    expect(outlinesOf({ ...mask, region }, known, null)).toEqual([
      { box: region, label: 'dog', short: 'dog', chosen: true },
    ]);
  });

  it('are the line of the menu that they came from', () => {
    const channel = { kind: 'channel', tensor: 'a', channel: 3, row: 1, column: 2 } as const;
    expect(targetValue(menuTarget(channel))).toBe(channelItem('a', 'layer1').value);
    expect(menuTarget({ kind: 'difference', index: 1, minus: 2 })).toEqual({
      kind: 'class',
      index: 1,
    });
  });
});
