import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { FractionBox } from '../../protocol/attribution';
import type { ModelFeeds } from '../../protocol/methods';
import type { PreprocessingOverrides } from '../../protocol/preprocessing';
import { feedsOf } from '../../server/src/cli/modelAndFeeds';
import { describeModel } from '../../server/src/workspace/describeModel';
import { describeShared } from '../shared';
import { LocalEngine } from '../unit/methods/attribution/localEngine';

/** What the models were trained on; see the README of the shared models. */
const SEEN = {
  'fastestdet.onnx': {
    channels: 'BGR',
    resize: 'stretch',
    scale: 1 / 255,
    mean: [0, 0, 0],
    std: [1, 1, 1],
  },
  'yunet_n_dynamic.onnx': {
    channels: 'BGR',
    resize: 'stretch',
    ...{ width: 320, height: 320, scale: 1, mean: [0, 0, 0], std: [1, 1, 1] },
  },
  'ultraface_rfb320.onnx': {
    channels: 'RGB',
    resize: 'stretch',
    ...{ scale: 1, mean: [127, 127, 127], std: [128, 128, 128] },
  },
  'deeplab_v3.onnx': {
    resize: 'stretch',
    ...{ scale: 1 / 127.5, mean: [1, 1, 1], std: [1, 1, 1] },
  },
} as const satisfies Readonly<Record<string, PreprocessingOverrides>>;
type Model = keyof typeof SEEN;

/** Classes of COCO, and of Pascal VOC. */
const COCO = { cat: 15, dog: 16, horse: 17, elephant: 20 };
const VOC = { dog: 12, person: 15 };

describeShared('what detectors and segmenting networks find', shared => {
  let engine: LocalEngine;
  beforeAll(() => {
    engine = new LocalEngine();
  });
  afterAll(() => engine.dispose());

  const model = (name: Model): string => path.join(shared, 'models', name);
  async function feeds(name: Model, picture: string): Promise<ModelFeeds> {
    const { description } = await describeModel(model(name), [
      { overrides: { '*': SEEN[name] }, from: 'test' },
    ]);
    return feedsOf(description, [path.join(shared, 'images', picture)]);
  }
  const targets = async (name: Model, picture: string) =>
    engine.targets({ model: model(name), feeds: await feeds(name, picture) });

  describe('FastestDet', () => {
    // scores and boxes of the model's own runtime.py in NumPy and ONNX Runtime, which resizes in another way
    it.each([
      ['both_cat_dog.png', COCO.dog, 0.79, [0.55, 0.36, 0.42, 0.63]],
      ['horses.jpg', COCO.horse, 0.72, [0.43, 0.5, 0.11, 0.13]],
      ['elephant.jpg', COCO.elephant, 0.91, [0.37, 0.52, 0.42, 0.62]],
    ] as const)('in %s', async (picture, classIndex, score, [x, y, width, height]) => {
      const { kind, detections, predicted } = await targets('fastestdet.onnx', picture);
      expect({ kind, predicted }).toEqual({ kind: 'detections', predicted: null });
      const [first] = detections;
      expect(first?.classIndex).toBe(classIndex);
      expect(Math.abs((first?.score ?? 0) - score)).toBeLessThan(0.05);
      const { left, top, right, bottom } = first?.box ?? NOWHERE;
      const found = [(left + right) / 2, (top + bottom) / 2, right - left, bottom - top];
      found.forEach((value, i) =>
        expect(Math.abs(value - ([x, y, width, height][i] ?? NaN))).toBeLessThan(0.04),
      );
    });

    it.each(['gradient', 'hires-cam', 'layer-cam'] as const)(
      'explains another horse elsewhere, by %s',
      async method => {
        const fed = await feeds('fastestdet.onnx', 'horses.jpg');
        const { detections } = await engine.targets({
          model: model('fastestdet.onnx'),
          feeds: fed,
        });
        const other = detections.findIndex(
          ({ box }) => overlap(box, detections[0]?.box ?? NOWHERE) === 0,
        );
        expect(other).toBeGreaterThan(0);
        const tops = [];
        for (const index of [0, other]) {
          const result = await engine.explain({
            model: model('fastestdet.onnx'),
            feeds: fed,
            method,
            target: { kind: 'box', index },
          });
          expect(result.target).toMatchObject({
            words: `detection ${index} (class ${COCO.horse})`,
            // what the softmax over the classes takes
            tensor: 'onnx::Softmax_755',
          });
          tops.push(strongest(result.heatmap));
        }
        const [a = new Set(), b = new Set()] = tops;
        const both = [...a].filter(place => b.has(place)).length;
        expect(both / (a.size + b.size - both)).toBeLessThanOrEqual(0.5);
      },
    );
  });

  it('YuNet finds the face of the astronaut', async () => {
    const { kind, detections } = await targets('yunet_n_dynamic.onnx', 'astronaut.png');
    expect(kind).toBe('detections');
    expect(detections).toHaveLength(1);
    // OpenCV's formula in NumPy on the outputs of ONNX Runtime
    expect(Math.abs((detections[0]?.score ?? 0) - 0.937)).toBeLessThan(0.02);
    expect(overlap(detections[0]?.box ?? NOWHERE, FACE)).toBeGreaterThan(0.6);
  });

  it('UltraFace finds the face of the astronaut', async () => {
    const { kind, detections } = await targets('ultraface_rfb320.onnx', 'astronaut.png');
    expect(kind).toBe('detections');
    expect(detections).toHaveLength(1);
    expect(detections[0]?.score).toBeGreaterThan(0.99);
    expect(overlap(detections[0]?.box ?? NOWHERE, FACE)).toBeGreaterThan(0.6);
  });

  describe('DeepLab', () => {
    it.each([
      ['astronaut.png', VOC.person, 0.46],
      ['both_cat_dog.png', VOC.dog, 0.32],
    ] as const)('names the largest class of %s', async (picture, classIndex, share) => {
      const { kind, classCount, segments } = await targets('deeplab_v3.onnx', picture);
      expect({ kind, classCount }).toEqual({ kind: 'segmentation', classCount: 21 });
      const found = segments.find(each => each.classIndex === classIndex);
      expect(Math.abs((found?.share ?? 0) - share)).toBeLessThan(0.03);
    });
  });
});

/** As the shared models' README has it. */
const FACE: FractionBox = { left: 0.35, top: 0.12, right: 0.52, bottom: 0.34 };
const NOWHERE: FractionBox = { left: 0, top: 0, right: 0, bottom: 0 };

function overlap(a: FractionBox, b: FractionBox): number {
  const width = Math.max(0, Math.min(a.right, b.right) - Math.max(a.left, b.left));
  const height = Math.max(0, Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top));
  const area = ({ left, top, right, bottom }: FractionBox): number =>
    (right - left) * (bottom - top);
  return (width * height) / (area(a) + area(b) - width * height);
}

/** The places of the highest tenth, as far as they have any heat. */
function strongest(heatmap: Float32Array): Set<number> {
  const order = [...heatmap.keys()].sort((a, b) => (heatmap[b] ?? 0) - (heatmap[a] ?? 0));
  return new Set(
    order.slice(0, Math.round(heatmap.length / 10)).filter(place => (heatmap[place] ?? 0) > 0),
  );
}
