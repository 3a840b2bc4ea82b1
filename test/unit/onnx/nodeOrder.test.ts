import * as ort from 'onnxruntime-node';
import { expect, test } from 'vitest';
import { listLayers } from '../../../server/src/onnx/layers';
import { readModel } from '../../../server/src/onnx/readModel';
import { readTensor } from '../../../server/src/onnx/readTensor';
import { inferValues } from '../../../server/src/onnx/shapes/inferShapes';
import { seededFloats, writeModel, type NodeInput } from '../../bench/onnxWriter';
import { MemorySource } from './fixtures';

const NODES: readonly NodeInput[] = [
  { op: 'Conv', name: 'conv', inputs: ['x', 'w'], outputs: ['a'] },
  { op: 'Relu', name: 'left', inputs: ['a'], outputs: ['b'] },
  { op: 'Sigmoid', name: 'right', inputs: ['a'], outputs: ['c'] },
  { op: 'Add', name: 'join', inputs: ['b', 'c'], outputs: ['y'] },
];

const bytesOf = (nodes: readonly NodeInput[]): Buffer =>
  writeModel({
    nodes,
    inputs: [{ name: 'x', shape: [1, 3, 5, 5] }],
    outputs: [{ name: 'y', shape: null }],
    initializers: [{ name: 'w', shape: [2, 3, 3, 3], data: seededFloats(3, 54, 1) }],
  });

const unused = (): never => {
  throw new Error('no external data here');
};

function layers(nodes: readonly NodeInput[]): readonly (readonly [string, unknown])[] {
  const model = readModel(new MemorySource(bytesOf(nodes)));
  const { shapes } = inferValues(model, { readConstant: ref => readTensor(model, ref, unused) });
  return listLayers(model, shapes).map(({ id, outputShape }) => [id, outputShape]);
}

test('lists every layer of a file whose nodes are in no order, which ONNX Runtime runs', async () => {
  const backwards = NODES.toReversed();
  const session = await ort.InferenceSession.create(bytesOf(backwards));
  expect(session.outputNames).toEqual(['y']);
  await session.release();
  const map = [1, 2, 3, 3];
  expect(new Map(layers(backwards))).toEqual(
    new Map([
      ['conv', map],
      ['left', map],
      ['right', map],
      ['join', map],
    ]),
  );
});

test('leaves nodes as they are where they are in order, and in circles', () => {
  expect(layers(NODES).map(([id]) => id)).toEqual(['conv', 'left', 'right', 'join']);
  const circle: readonly NodeInput[] = [
    { op: 'Add', name: 'first', inputs: ['q', 'x'], outputs: ['p'] },
    { op: 'Add', name: 'second', inputs: ['p', 'x'], outputs: ['q'] },
    { op: 'Relu', name: 'end', inputs: ['q'], outputs: ['y'] },
  ];
  const names = readModel(new MemorySource(bytesOf(circle))).graph.nodes.map(({ name }) => name);
  expect(names.toSorted()).toEqual(['end', 'first', 'second']);
  expect(names.at(-1)).toBe('end');
});
