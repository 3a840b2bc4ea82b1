import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Dimension, ValueInfo } from '../../../protocol/model';
import { findLabels, parseLabels, readLabels } from '../../../server/src/workspace/labels';
import { describeShared } from '../../shared';

const output = (...shape: Dimension[]): ValueInfo[] => [{ name: 'y', dtype: 'float32', shape }];
const find = (
  files: Record<string, string>,
  outputs: ValueInfo[],
  metadata: Record<string, string> = {},
): ReturnType<typeof findLabels> =>
  findLabels(new Map(Object.entries(metadata)), outputs, {
    files: Object.entries(files).map(([name, text]) => ({ name, path: name, text })),
    problems: [],
  });

describe('parseLabels', () => {
  it.each([
    ['labels.txt', 'cat\ndog\n\n', ['cat', 'dog']],
    ['labels.txt', '0,cat, tabby\r\n1,dog\r\n', ['cat, tabby', 'dog']],
    ['classes.txt', '1: cat\n2: dog', ['cat', 'dog']],
    [
      'synset.txt',
      'n01440764 tench, Tinca tinca\nn01443537 goldfish',
      ['tench, Tinca tinca', 'goldfish'],
    ],
    ['coco.names', 'person\nbicycle', ['person', 'bicycle']],
    ['labels.json', '["a", "b"]', ['a', 'b']],
    ['labels.json', '{"1": "b", "0": "a"}', ['a', 'b']],
    ['label_map.json', '{"b": 1, "a": 0}', ['a', 'b']],
    [
      'imagenet_classes.json',
      '{"0": ["n01440764", "tench"], "1": ["n01443537", "goldfish"]}',
      ['tench', 'goldfish'],
    ],
    ['config.json', '{"id2label": {"0": "a", "1": "b"}, "x": 1}', ['a', 'b']],
    ['data.yaml', 'nc: 2\nnames: ["a", \'b\']\n', ['a', 'b']],
    ['data.yaml', 'names: [a, b c]', ['a', 'b c']],
    ['data.yaml', 'names:\n  0: a # first\n  1: "b"\nroboflow: x', ['a', 'b']],
    ['data.yml', 'path: .\nnames:\n  - a\n  - b\n', ['a', 'b']],
    ['config.json', '{"a": 0}', null],
    ['labels.json', '{"0": "a", "2": "c"}', null],
    ['labels.json', '{"a": {}}', null],
    ['labels.txt', '\n\n', null],
    ['labels.bin', 'a', null],
  ])('%s: %j', (name, text, names) => expect(parseLabels(text, name)).toEqual(names));
});

describe('findLabels', () => {
  it('takes the first that fits and reports the others', () => {
    const { labels, problems } = find(
      { 'classes.txt': 'a\nb', 'labels.txt': 'a\nb\nc' },
      output(1, 3),
    );
    expect(labels).toEqual({ names: ['a', 'b', 'c'], from: 'labels.txt' });
    expect(problems.map(problem => problem.message)).toEqual([
      'classes.txt has 2 labels, but the model has another number of classes (y: 3). They are not used.',
    ]);
  });

  it('reads Ultralytics names against 4 + classes', () => {
    const { labels } = find({}, output(1, 6, 8400), { names: "{0: 'person', 1: \"bird's\"}" });
    expect(labels).toEqual({ names: ['person', "bird's"], from: 'metadata: names' });
  });

  it('handles TensorFlow’s background class and says so', () => {
    const lines = Array.from({ length: 1000 }, (_, i) => `class ${i}`);
    const { labels } = find({ 'labels.txt': lines.join('\n') }, output('N', 1001));
    expect(labels?.names[0]).toBe('background');
    expect(labels?.names).toHaveLength(1001);
    expect(labels?.from).toMatch(/background/);
    const shorter = find({ 'labels.txt': ['background', ...lines].join('\n') }, output('N', 1000));
    expect(shorter.labels?.names[0]).toBe('class 0');
  });

  it('finds segmentation classes on the last axis', () => {
    const names = Array.from({ length: 21 }, (_, i) => `c${i}`).join('\n');
    expect(find({ 'labels.txt': names }, output(1, 257, 257, 21)).labels?.names).toHaveLength(21);
  });
});

describe('readLabels', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(path.join(tmpdir(), 'labels-'));
    writeFileSync(path.join(folder, 'mine.txt'), 'a\nb\n');
    writeFileSync(path.join(folder, 'empty.txt'), '\n');
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('gives labels that fit', async () => {
    expect(await readLabels(path.join(folder, 'mine.txt'), output(1, 2))).toEqual({
      names: ['a', 'b'],
      from: 'mine.txt',
    });
  });
  it('refuses labels that do not', async () => {
    await expect(readLabels(path.join(folder, 'mine.txt'), output(1, 3))).rejects.toMatchObject({
      code: 'badLabels',
      message: expect.stringMatching(/mine\.txt has 2 labels, .*y: 3/),
    });
    await expect(readLabels(path.join(folder, 'empty.txt'), output(1, 3))).rejects.toMatchObject({
      code: 'badLabels',
    });
    await expect(readLabels(path.join(folder, 'no.txt'), output(1, 3))).rejects.toMatchObject({
      code: 'fileNotFound',
    });
  });
});

describeShared('ImageNet labels', dir => {
  it('are read in class order', async () => {
    const { names } = await readLabels(
      path.join(dir, 'images/imagenet_labels.txt'),
      output(1, 1000),
    );
    expect([names[1], names[281]]).toEqual(['goldfish, Carassius auratus', 'tabby, tabby cat']);
    await expect(
      readLabels(path.join(dir, 'images/imagenet_labels.txt'), output(1, 10)),
    ).rejects.toMatchObject({ code: 'badLabels' });
  });
});
