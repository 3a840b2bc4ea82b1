import * as ort from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { boxesAndScores } from '../../../../server/src/methods/attribution/detectionForms/boxesAndScores';
import type {
  Candidate,
  DetectionForm,
} from '../../../../server/src/methods/attribution/detectionForms/form';
import {
  yoloColumns,
  yoloRows,
} from '../../../../server/src/methods/attribution/detectionForms/yolo';
import { beforeFinalNormalisation } from '../../../../server/src/methods/attribution/elementTrace';
import { readModel } from '../../../../server/src/onnx/readModel';
import { inferValues } from '../../../../server/src/onnx/shapes/inferShapes';
import { readTensor } from '../../../../server/src/onnx/readTensor';
import { elementCount } from '../../../../server/src/onnx/tensor';
import { seededFloats, writeModel } from '../../../bench/onnxWriter';

const FED = { width: 320, height: 256 };
const PLACES = 40 * 32 + 20 * 16 + 10 * 8;

interface Given {
  readonly name: string;
  readonly shape: readonly number[];
  /** By index along each axis. */
  readonly values: readonly (readonly [readonly number[], number])[];
  readonly otherwise?: number;
}

/** What a form reads from outputs that hold these values; null where it does not take them. */
function read(form: DetectionForm, outputs: readonly Given[]): readonly Candidate[] | null {
  const reader = form.recognise(outputs, FED);
  if (!reader) return null;
  const tensors = new Map(
    outputs.map(({ name, shape, values, otherwise = 0 }) => {
      const data = new Float64Array(elementCount(shape)).fill(otherwise);
      for (const [index, value] of values)
        data[index.reduce((at, place, axis) => at * (shape[axis] ?? 1) + place, 0)] = value;
      return [name, data];
    }),
  );
  return reader.read(name => tensors.get(name) ?? new Float64Array(0), 0.25);
}

/** The box of these pixels. */
const box = (left: number, top: number, right: number, bottom: number) => ({
  left: left / FED.width,
  top: top / FED.height,
  right: right / FED.width,
  bottom: bottom / FED.height,
});

describe('forms of detections, as their documentation has them', () => {
  test('YOLOv8: centre, size and probabilities in columns', () => {
    const place = 700;
    const column = (row: number, value: number) => [[0, row, place], value] as const;
    const values = [column(0, 160), column(1, 64), column(2, 40), column(3, 20), column(6, 0.8)];
    const shape = [1, 4 + 5, PLACES];
    expect(read(yoloColumns, [{ name: 'output0', shape, values }])).toEqual([
      {
        box: box(140, 54, 180, 74),
        classIndex: 2,
        score: 0.8,
        tensor: 'output0',
        element: 6 * PLACES + place,
      },
    ]);
    // keypoints and angles stand where classes would
    expect(read(yoloColumns, [{ name: 'output0', shape, values: [column(7, 211)] }])).toBeNull();
    expect(read(yoloColumns, [{ name: 'y', shape: [1, 9, PLACES + 1], values }])).toBeNull();
  });

  test('YOLOv8 with masks: what belongs to the prototypes is no class', () => {
    const found = read(yoloColumns, [
      {
        name: 'output0',
        shape: [1, 4 + 2 + 32, PLACES],
        values: [
          [[0, 5, 3], 0.9],
          [[0, 6, 3], -7],
        ],
      },
      { name: 'output1', shape: [1, 32, 64, 80], values: [] },
    ]);
    expect(found).toMatchObject([{ classIndex: 1, score: 0.9 }]);
  });

  test('YOLOv5: three boxes for each place, object times class', () => {
    const row = (place: number, values: readonly number[]) =>
      values.map((value, part) => [[0, place, part], value] as const);
    const far = row(5, [310, 250, 8, 8, 0.01, 0.5, 0.5]);
    const values = [...row(900, [100, 80, 60, 40, 0.9, 0.1, 0.7]), ...far];
    const shape = [1, 3 * PLACES, 7];
    const [first] = read(yoloRows, [{ name: 'output', shape, values }]) ?? [];
    expect(first).toMatchObject({
      box: box(70, 60, 130, 100),
      classIndex: 1,
      element: 900 * 7 + 6,
    });
    expect(first?.score).toBeCloseTo(0.63, 12);
    // offsets that are still to be decoded
    const near = row(900, [0.4, 0.8, 0.2, 0.1, 0.9, 0.1, 0.7]);
    expect(read(yoloRows, [{ name: 'output', shape, values: near }])).toBeNull();
  });

  test('boxes and softmaxed scores with the background first, in fractions', () => {
    const found = read(boxesAndScores, [
      { name: 'scores', shape: [1, 100, 2], values: shared(100, 2, 40, [0.2, 0.8]) },
      {
        name: 'boxes',
        shape: [1, 100, 4],
        values: [0.1, 0.2, 0.5, 0.9].map((value, i) => [[0, 40, i], value] as const),
      },
    ]);
    expect(found).toEqual([
      {
        box: { left: 0.1, top: 0.2, right: 0.5, bottom: 0.9 },
        classIndex: 0,
        score: 0.8,
        tensor: 'scores',
        element: 81,
      },
    ]);
  });

  test('DETR: logits with "no object" last, centre and size in fractions', () => {
    const rows = [...Array(20).keys()];
    const found = read(boxesAndScores, [
      {
        name: 'logits',
        shape: [1, 20, 4],
        values: [...rows.map(row => [[0, row, 3], 9] as const), [[0, 7, 1], 12], [[0, 7, 3], 2]],
      },
      {
        name: 'pred_boxes',
        shape: [1, 20, 4],
        values: rows.flatMap(row =>
          [0.6, 0.5, 0.2, 0.4].map((value, i) => [[0, row, i], value] as const),
        ),
      },
    ]);
    expect(found).toHaveLength(1);
    expect(found?.[0]).toMatchObject({ classIndex: 1, element: 29 });
    const { left, top, right, bottom } = found?.[0]?.box ?? {
      left: 0,
      top: 0,
      right: 0,
      bottom: 0,
    };
    [left - 0.5, top - 0.3, right - 0.7, bottom - 0.7].forEach(each => expect(each).toBeCloseTo(0));
    // softmax over four: e¹² / (e¹² + e² + 2)
    expect(found?.[0]?.score).toBeCloseTo(1 / (1 + Math.exp(-10) + 2 * Math.exp(-12)), 9);
  });

  test('lanes and the like are not taken for boxes', () => {
    const logits = { name: 'pred_logits', shape: [1, 7, 2], values: [] };
    expect(read(boxesAndScores, [logits, { name: 'curves', shape: [1, 7, 8], values: [] }])).toBe(
      null,
    );
    expect(read(boxesAndScores, [logits, { name: 'weights', shape: [1, 7, 4], values: [] }])).toBe(
      null,
    );
  });
});

/** All rows [1, 0, …] but one. */
const shared = (rows: number, classes: number, row: number, scores: readonly number[]) =>
  [...Array(rows).keys()].flatMap(each =>
    [...Array(classes).keys()].map(
      i => [[0, each, i], each === row ? (scores[i] ?? 0) : Number(i === 0)] as const,
    ),
  );

test('an output element is followed back to what its Sigmoid takes', async () => {
  const boxes = [1, 4, 6];
  const scores = [1, 6, 3];
  const model = writeModel({
    nodes: [
      { op: 'Sigmoid', inputs: ['logits'], outputs: ['chances'] },
      {
        op: 'Split',
        inputs: ['chances', 'parts'],
        outputs: ['first', 'second'],
        attributes: { axis: 2 },
      },
      { op: 'Concat', inputs: ['second', 'first'], outputs: ['turned'], attributes: { axis: -1 } },
      {
        op: 'Transpose',
        inputs: ['turned'],
        outputs: ['columns'],
        attributes: { perm: [0, 2, 1] },
      },
      { op: 'Concat', inputs: ['boxes', 'columns'], outputs: ['rows'], attributes: { axis: 1 } },
      { op: 'Reshape', inputs: ['rows', 'shape'], outputs: ['y'] },
    ],
    inputs: [
      { name: 'logits', shape: scores },
      { name: 'boxes', shape: boxes },
    ],
    outputs: [{ name: 'y', shape: null }],
    initializers: [
      { name: 'parts', shape: [2], type: 'int64', data: int64(1, 2) },
      { name: 'shape', shape: [3], type: 'int64', data: int64(1, 7 * 3, 2) },
    ],
  });
  const parsed = readModel({
    name: 'traced.onnx',
    size: model.length,
    read: (offset, length) => Uint8Array.from(model.subarray(offset, offset + length)),
  });
  const refuse = (): never => {
    throw new Error('no external data');
  };
  const { shapes } = inferValues(parsed, { readConstant: ref => readTensor(parsed, ref, refuse) });
  const shapeOf = (name: string): readonly number[] | null =>
    shapes.get(name)?.shape?.map(Number) ?? null;
  const session = await ort.InferenceSession.create(model);
  const logits = seededFloats(4, elementCount(scores), 3);
  const given = seededFloats(5, elementCount(boxes), 3);
  const { y } = await session.run({
    logits: new ort.Tensor('float32', logits, scores),
    boxes: new ort.Tensor('float32', given, boxes),
  });
  const values = y?.data ?? [];
  expect(values).toHaveLength(42);
  for (const [element, value] of [...values].entries()) {
    const traced = beforeFinalNormalisation(parsed.graph, shapeOf, { tensor: 'y', element });
    if (element < elementCount(boxes)) expect(traced).toEqual({ tensor: 'y', element });
    else {
      expect(traced.tensor).toBe('logits');
      expect(1 / (1 + Math.exp(-(logits[traced.element] ?? NaN)))).toBeCloseTo(Number(value), 6);
    }
  }
});

const int64 = (...values: number[]): Uint8Array =>
  new Uint8Array(BigInt64Array.from(values, BigInt).buffer);
