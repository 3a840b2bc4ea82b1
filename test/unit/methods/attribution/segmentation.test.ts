import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ExplainResult, TargetSpec } from '../../../../protocol/attribution';
import type { ModelFeeds } from '../../../../protocol/methods';
import { feedsOf } from '../../../../server/src/cli/modelAndFeeds';
import { encodePng } from '../../../../server/src/image/png';
import { describeModel } from '../../../../server/src/workspace/describeModel';
import { seededFloats, writeModel } from '../../../bench/onnxWriter';
import { floatTensor, LocalEngine } from './localEngine';

const SIDE = 8;
const CLASSES = 4;
const WEIGHTS = seededFloats(3, CLASSES * 3, 1);

let engine: LocalEngine;
beforeAll(() => {
  engine = new LocalEngine();
});
afterAll(() => engine.dispose());

/** The scores of each class are a weighted sum of the colours, place by place: gradients are these weights where the target looks. */
const colours = (images = 1): string =>
  engine.model(
    writeModel({
      nodes: [
        { op: 'Conv', name: 'classes', inputs: ['x', 'w'], outputs: ['scores'] },
        { op: 'Softmax', inputs: ['scores'], outputs: ['chances'], attributes: { axis: 1 } },
      ],
      inputs: [{ name: 'x', shape: [images, 3, SIDE, SIDE] }],
      outputs: [{ name: 'chances', shape: [images, CLASSES, SIDE, SIDE] }],
      initializers: [{ name: 'w', shape: [CLASSES, 3, 1, 1], data: WEIGHTS }],
    }),
  );

const noise = (images = 1): Float32Array => seededFloats(9, images * 3 * SIDE * SIDE, 1);

const explained = (target: TargetSpec, feeds?: ModelFeeds, model = colours()) =>
  engine.explain({
    model,
    feeds: feeds ?? { x: engine.feed(floatTensor([1, 3, SIDE, SIDE], noise())) },
    method: 'gradient',
    target,
  });

/** Writes a mask that is white where `isWhite`. */
function mask(width: number, height: number, isWhite: (x: number, y: number) => boolean): string {
  const rgba = new Uint8Array(4 * width * height).fill(255);
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++)
      if (!isWhite(x, y)) rgba.fill(0, 4 * (y * width + x), 4 * (y * width + x) + 3);
  const file = path.join(engine.folder, `mask${width}x${height}-${rgba.indexOf(0)}.png`);
  writeFileSync(file, encodePng(width, height, 4, rgba));
  return file;
}

/** The gradient of the mean score of a class over places: the class's weights there, divided by their number. */
function expectMean(
  { attribution, target }: ExplainResult,
  classIndex: number,
  isInside: (x: number, y: number) => boolean,
): void {
  expect(target).toMatchObject({ tensor: 'scores', classIndex });
  const places = [...Array(SIDE * SIDE).keys()];
  const inside = places.filter(i => isInside(i % SIDE, Math.floor(i / SIDE)));
  for (let channel = 0; channel < 3; channel++)
    for (const i of places) {
      const weight = inside.includes(i) ? (WEIGHTS[classIndex * 3 + channel] ?? NaN) : 0;
      expect(attribution[channel * SIDE * SIDE + i]).toBeCloseTo(weight / inside.length, 6);
    }
}

describe('the mean score of a class', () => {
  test('inside a box', async () => {
    const region = { left: 0.25, top: 0.5, right: 0.75, bottom: 1 };
    const result = await explained({ kind: 'mask', class: 2, region });
    expectMean(result, 2, (x, y) => x >= 2 && x < 6 && y >= 4);
  });

  test('where a mask is white, which is as large as what is fed or any other size', async () => {
    for (const scale of [1, 5]) {
      const white = (x: number, y: number): boolean =>
        Math.floor(x / scale) >= 5 && Math.floor(y / scale) < 3;
      const file = mask(SIDE * scale, SIDE * scale, white);
      const result = await explained({ kind: 'mask', class: 1, mask: file });
      expectMean(result, 1, (x, y) => x >= 5 && y < 3);
    }
  });

  test('where a mask of the picture’s size is white in the part that the network sees', async () => {
    const model = colours();
    const rgba = Uint8Array.from({ length: 4 * 2 * SIDE * SIDE }, (_, i) =>
      i % 4 === 3 ? 255 : (i * 37) % 256,
    );
    const picture = path.join(engine.folder, 'wide.png');
    writeFileSync(picture, encodePng(2 * SIDE, SIDE, 4, rgba));
    const { description } = await describeModel(model, [
      { overrides: { '*': { resize: 'crop', shortestSide: SIDE } }, from: 'test' },
    ]);
    const file = mask(2 * SIDE, SIDE, (x, y) => x >= SIDE && x < SIDE + 2 && y > 3);
    const target = { kind: 'mask', class: 3, mask: file } as const;
    const result = await explained(target, feedsOf(description, [picture]), model);
    // the middle half is seen: column 8 of the picture is column 4
    expectMean(result, 3, (x, y) => x >= 4 && x < 6 && y > 3);
  });

  test('where it is the highest, in every image of a batch', async () => {
    const model = colours(2);
    const x = noise(2);
    const size = SIDE * SIDE;
    const highest = (image: number, i: number): number => {
      const score = (of: number): number =>
        [0, 1, 2].reduce(
          (sum, channel) =>
            sum + (WEIGHTS[of * 3 + channel] ?? 0) * (x[(image * 3 + channel) * size + i] ?? 0),
          0,
        );
      return [0, 1, 2, 3].reduce((best, of) => (score(of) > score(best) ? of : best));
    };
    const feeds = { x: engine.feed(floatTensor([2, 3, SIDE, SIDE], x)) };
    const first = highest(0, 0);
    const { attribution } = await explained({ kind: 'mask', class: first }, feeds, model);
    for (const image of [0, 1]) {
      const count = [...Array(size).keys()].filter(i => highest(image, i) === first).length;
      for (let i = 0; i < size; i++) {
        const weight = highest(image, i) === first ? (WEIGHTS[first * 3] ?? NaN) : 0;
        expect(attribution[image * 3 * size + i]).toBeCloseTo(weight / count, 6);
      }
    }
    const { kind, classCount, segments } = await engine.targets({ model, feeds });
    expect({ kind, classCount }).toEqual({ kind: 'segmentation', classCount: CLASSES });
    expect(segments.reduce((sum, { share }) => sum + share, 0)).toBeCloseTo(1, 12);
    expect(segments.find(({ classIndex }) => classIndex === first)?.share).toBe(
      [...Array(size).keys()].filter(i => highest(0, i) === first).length / size,
    );
  });
});

describe('a mask target that means nothing', () => {
  test('a class that the maps do not have', async () => {
    await expect(explained({ kind: 'mask', class: 4 })).rejects.toMatchObject({
      code: 'outOfRange',
      message: 'The class maps are of the classes 0 to 3; 4 is none of them.',
    });
  });

  test('a class that is nowhere the highest', async () => {
    const dark = { x: engine.feed(floatTensor([1, 3, SIDE, SIDE], new Float32Array(3 * 64))) };
    await expect(explained({ kind: 'mask', class: 2 }, dark)).rejects.toMatchObject({
      code: 'outOfRange',
      message: expect.stringContaining('(these are: 0)'),
    });
  });

  test('a mask that is black', async () => {
    const file = mask(4, 4, () => false);
    await expect(explained({ kind: 'mask', class: 2, mask: file })).rejects.toMatchObject({
      code: 'outOfRange',
      message: `${file} is white nowhere in the part that the network sees.`,
    });
  });

  test('a model without class maps', async () => {
    const model = engine.model(
      writeModel({
        nodes: [{ op: 'Flatten', inputs: ['x'], outputs: ['y'] }],
        inputs: [{ name: 'x', shape: [1, 3, SIDE, SIDE] }],
        outputs: [{ name: 'y', shape: null }],
        initializers: [],
      }),
    );
    await expect(explained({ kind: 'mask', class: 0 }, undefined, model)).rejects.toMatchObject({
      code: 'unsupported',
    });
  });
});
