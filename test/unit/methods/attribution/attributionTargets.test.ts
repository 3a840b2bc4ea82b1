import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeModel } from '../../../bench/onnxWriter';
import { floatTensor, LocalEngine } from './localEngine';
import { LAYOUTS, references } from './smallNetwork';

let engine: LocalEngine;
beforeAll(() => {
  engine = new LocalEngine();
});
afterAll(() => engine.dispose());

test.each(LAYOUTS)('a classifier has classes and layers with a grid, $layout', async network => {
  const { model, tensor } = network;
  const feeds = { input: engine.feed(tensor(references.input)) };
  const targets = await engine.targets({ model, feeds });
  expect(targets).toMatchObject({
    kind: 'classes',
    classCount: 4,
    detections: [],
    segments: [],
    suggestedLayer: { layer: 'relu2', tensor: 'relu2' },
  });
  expect(targets.layersWithGrid).toEqual(
    expect.arrayContaining(['conv1', 'relu1', 'pool', 'conv2', 'relu2']),
  );
  expect(targets.predicted?.[0]?.index).toBe(references.classes[0]);
});

test('a model that gives a picture has nothing to choose from', async () => {
  const model = engine.model(
    writeModel({
      nodes: [{ op: 'Neg', name: 'negative', inputs: ['x'], outputs: ['y'] }],
      inputs: [{ name: 'x', shape: [1, 3, 6, 6] }],
      outputs: [{ name: 'y', shape: null }],
      initializers: [],
    }),
  );
  const feeds = { x: engine.feed(floatTensor([1, 3, 6, 6], new Float32Array(108))) };
  expect(await engine.targets({ model, feeds })).toMatchObject({
    kind: 'other',
    predicted: null,
    classCount: null,
    suggestedLayer: null,
  });
});
