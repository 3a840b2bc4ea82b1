import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { DataType } from '../../../protocol/model';
import { openModelFile } from '../../../server/src/files/modelFile';
import { differentiate, withEmitted } from '../../../server/src/gradient/differentiate';
import type { Value } from '../../../server/src/gradient/value';
import type { Attribute, Model, TensorRef } from '../../../server/src/onnx/graph';
import { readTensor } from '../../../server/src/onnx/readTensor';
import { inferValues } from '../../../server/src/onnx/shapes/inferShapes';
import type { Tensor } from '../../../server/src/onnx/tensor';
import { graphOf, nodeOf, valueOf } from '../shapes/smallGraphs';
import { attributesOf } from './attributes';
import { checkVjp } from './checkVjp';
import { random } from './finiteDifferences';
import { madeModel, normalOf, numeric, refOf, run, type Given } from './normalize/written';

const fixtures = path.join(import.meta.dirname, '../../fixtures/gradient');

type Feeds = Readonly<Record<string, Tensor>>;

const inferred = (model: Model, feeds: Feeds) =>
  inferValues(model, {
    readConstant: ref =>
      readTensor(model, ref, () => {
        throw new Error('no external data');
      }),
    inputShapes: new Map(Object.entries(feeds).map(([name, { shape }]) => [name, shape])),
  });

/** The gradient of Σ weights · target with respect to a tensor, from a run of the emitted graph. */
async function gradientOf(
  model: Model,
  feeds: Feeds,
  { from, target, weights }: { from: string; target: string; weights: readonly number[] },
): Promise<readonly number[]> {
  const holder: { seed?: Value } = {};
  const { e, gradients } = differentiate(
    model,
    inferred(model, feeds),
    { target, withRespectTo: [from], mode: 'gradient' },
    (emit, value) => (holder.seed = emit.input('seed', 'float32', value.shape)),
  );
  const { seed } = holder;
  const gradient = gradients.get(from);
  if (!seed || !gradient) throw new Error('no gradient');
  const all: Feeds = {
    ...feeds,
    [seed.name]: { dtype: 'float32', shape: seed.shape, data: Float32Array.from(weights) },
  };
  const [result] = await run(withEmitted(model, e, [seed]), all, [gradient.name], fixtures);
  return numeric(result);
}

/** x → QuantizeLinear → q → DequantizeLinear → y, or with DynamicQuantizeLinear in front. */
function roundTrip(
  shape: readonly number[],
  { opset, domain = '', type, scale, zeroPoint, attributes = {} }: RoundTrip,
): Model {
  const given = new Map(
    Object.entries(attributes).map(([name, value]): [string, Attribute] => [
      name,
      { kind: 'int', value },
    ]),
  );
  const stored = new Map<string, TensorRef>();
  if (scale) {
    stored.set('s', refOf('s', scale, scale.values ?? []));
    stored.set('z', refOf('z', { shape: scale.shape, dtype: type }, zeroPoint));
  }
  const quantize = scale
    ? nodeOf(0, 'QuantizeLinear', ['x', 's', 'z'], ['q'], given, { domain })
    : nodeOf(0, 'DynamicQuantizeLinear', ['x'], ['q', 's', 'z']);
  return madeModel(
    graphOf({
      name: 'roundTrip',
      nodes: [quantize, nodeOf(1, 'DequantizeLinear', ['q', 's', 'z'], ['y'], given, { domain })],
      inputs: [valueOf('x', 'float32', shape)],
      outputs: [valueOf('y', 'float32', null)],
      initializers: stored,
    }),
    opset,
  );
}

interface RoundTrip {
  readonly opset: number;
  readonly domain?: string;
  readonly type: DataType;
  /** Null: the range of the input tells it. */
  readonly scale: Given | null;
  readonly zeroPoint: readonly number[];
  readonly attributes?: Readonly<Record<string, number>>;
}

const scales = (shape: readonly number[], ...values: number[]): Given => ({ shape, values });

describe('QuantizeLinear and DequantizeLinear', () => {
  const cases: readonly (readonly [string, RoundTrip])[] = [
    ['uint8', { opset: 10, type: 'uint8', scale: scales([], 0.01), zeroPoint: [128] }],
    ['int8', { opset: 13, type: 'int8', scale: scales([], 0.01), zeroPoint: [-3] }],
    [
      'by axis',
      {
        opset: 13,
        type: 'int8',
        scale: scales([4], 0.01, 0.012, 0.009, 0.011),
        zeroPoint: [0, 4, -4, 9],
        attributes: { axis: 1 },
      },
    ],
    [
      'by the last axis',
      {
        opset: 19,
        type: 'uint8',
        scale: scales([6], 0.01, 0.012, 0.009, 0.011, 0.01, 0.008),
        zeroPoint: [128, 120, 130, 128, 128, 128],
        attributes: { axis: -1 },
      },
    ],
    [
      'by blocks',
      {
        opset: 21,
        type: 'int8',
        scale: scales([3, 2, 6], ...Array.from({ length: 36 }, (_, i) => 0.008 + 0.0001 * i)),
        zeroPoint: new Array<number>(36).fill(5),
        attributes: { axis: 1, block_size: 3 },
      },
    ],
    ['16 bits', { opset: 21, type: 'int16', scale: scales([], 0.00004), zeroPoint: [9] }],
    [
      '16 bits of com.microsoft',
      {
        opset: 17,
        domain: 'com.microsoft',
        type: 'uint16',
        scale: scales([], 0.00004),
        zeroPoint: [32768],
      },
    ],
    ['by the range of the input', { opset: 11, type: 'uint8', scale: null, zeroPoint: [] }],
  ];

  /** Differences over ±0.1, so at least 16 steps: rounding moves each end by half a step at most, the slope by 1/16 of itself. */
  test.each(cases)('%s', async (_, given) => {
    const shape = [3, 4, 6];
    const model = roundTrip(shape, given);
    const next = random(2);
    const inside = Array.from({ length: 72 }, () => 1.6 * next() - 0.8);
    // where the range follows from the input, its ends stay, so that it does
    const x = given.scale ? inside : [-1, 1, ...inside.slice(2)];
    const feed = (h: number): Feeds => ({
      x: {
        dtype: 'float32',
        shape,
        data: Float32Array.from(x, (value, i) => (given.scale || i > 1 ? value + h : value)),
      },
    });
    const weights = x.map(() => 2 * next() - 1);
    const gradient = await gradientOf(model, feed(0), { from: 'x', target: 'y', weights });
    const [up] = await run(model, feed(0.1), ['y']);
    const [down] = await run(model, feed(-0.1), ['y']);
    const [above, below] = [numeric(up), numeric(down)];
    gradient.forEach((value, i) => {
      if (!given.scale && i < 2) return;
      const weight = weights[i] ?? NaN;
      const slope = (((above[i] ?? NaN) - (below[i] ?? NaN)) / 0.2) * weight;
      expect(Math.abs(value - slope)).toBeLessThanOrEqual(Math.abs(weight) / 16 + 1e-6);
    });
  });

  /** What the network in front of the quantiser had at x: a Relu, a Relu6 or neither. */
  const ends: readonly (readonly [
    string,
    number,
    number,
    readonly (readonly [number, number])[],
  ])[] = [
    [
      'a Relu',
      4 / 255,
      0,
      [
        [-0.5, 0],
        [-1e-3, 0],
        [1e-3, 1],
        [3, 1],
        [9, 1],
      ],
    ],
    [
      'a Relu6',
      6 / 255,
      0,
      [
        [-0.5, 0],
        [1e-3, 1],
        [5.9, 1],
        [6.1, 0],
      ],
    ],
    [
      'neither',
      6 / 255,
      100,
      [
        [-9, 1],
        [0, 1],
        [9, 1],
      ],
    ],
  ];
  test.each(ends)('a range that stands for %s', async (_, scale, zeroPoint, points) => {
    const given = {
      opset: 13,
      type: 'uint8',
      scale: scales([], scale),
      zeroPoint: [zeroPoint],
    } as const;
    const shape = [points.length];
    const feeds = {
      x: { dtype: 'float32', shape, data: Float32Array.from(points, ([x]) => x) },
    } as const;
    const question = { from: 'x', target: 'y', weights: points.map(() => 1) };
    const gradient = await gradientOf(roundTrip(shape, given), feeds, question);
    gradient.forEach((value, i) => expect(value).toBeCloseTo(points[i]?.[1] ?? NaN, 5));
  });

  test('at exactly 0 a rectifier passes nothing, black of a picture does', async () => {
    const given = { opset: 13, type: 'uint8', scale: scales([], 0.02), zeroPoint: [0] } as const;
    const feeds = { x: { dtype: 'float32', shape: [2], data: Float32Array.of(0, 1) } } as const;
    const question = { from: 'x', target: 'y', weights: [1, 1] };
    const plain = roundTrip([2], given);
    expect((await gradientOf(plain, feeds, question)).map(Math.round)).toEqual([1, 1]);
    const { graph } = plain;
    const nodes = [
      nodeOf(0, 'Add', ['x', 'x'], ['sum']),
      ...graph.nodes.map(node => ({
        ...node,
        index: node.index + 1,
        inputs: node.inputs.map(name => (name === 'x' ? 'sum' : name)),
      })),
    ];
    expect(
      (await gradientOf({ ...plain, graph: { ...graph, nodes } }, feeds, question)).map(Math.round),
    ).toEqual([0, 2]);
  });
});

describe('scales have gradients', () => {
  const count = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
  test.each([
    [10, 'uint8', [2, 3], [], {}],
    [13, 'int8', [2, 3, 4], [3], { axis: 1 }],
    [19, 'int8', [2, 4], [4], { axis: -1 }],
    [21, 'uint8', [3, 5], [3, 2], { axis: 1, block_size: 3 }],
  ] as const)(
    'of DequantizeLinear at opset %i, %s %j, scale %j',
    (opset, dtype, shape, of, plain) => {
      const values = Array.from({ length: count(shape) }, (_, i) => (i * 37) % 120);
      const zeroPoint = Array.from({ length: count(of) }, (_, i) => i + 3);
      return checkVjp('DequantizeLinear', {
        opset,
        inputs: [
          { shape, dtype, values },
          { shape: of, from: 0.1, to: 0.3 },
          { shape: of, dtype, values: zeroPoint },
        ],
        attributes: attributesOf(plain),
        check: [1],
      });
    },
  );
  test.each([[[1, -2, 3, 0.5]], [[1, 2, 3, 0.5]], [[-1, -2, -3, -0.5]]])(
    'of DynamicQuantizeLinear of %j',
    values =>
      checkVjp('DynamicQuantizeLinear', {
        opset: 11,
        inputs: [{ shape: [2, 2], values }],
        outputs: 3,
        output: 1,
      }),
  );
});

const pictures: readonly (readonly number[])[] = JSON.parse(
  readFileSync(path.join(fixtures, 'pictures.json'), 'utf8'),
);
const dot = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);

/** The gradient of the highest score with respect to a picture. */
async function topGradient(file: string, picture: readonly number[]): Promise<readonly number[]> {
  const opened = openModelFile(path.join(fixtures, file));
  const feeds: Feeds = {
    image: { dtype: 'float32', shape: [1, 3, 20, 20], data: Float32Array.from(picture) },
  };
  const { model } = normalOf(opened.model, feeds);
  const [scores] = await run(model, feeds, ['scores'], fixtures);
  const values = numeric(scores);
  const best = values.indexOf(Math.max(...values));
  const gradient = await gradientOf(model, feeds, {
    from: 'image',
    target: 'scores',
    weights: values.map((_, i) => Number(i === best)),
  });
  opened.dispose();
  return gradient;
}

/** Measured: 0.967 to 0.999. Without the mask of saturated values −0.15 to 0.64 for the two of which rectifiers became ranges. */
describe('a quantised network has the gradient of the one it was made of', () => {
  test.each(['qdq.onnx', 'qoperator.onnx', 'dynamic.onnx'])('%s', async file => {
    for (const picture of pictures) {
      const [estimate, exact] = [
        await topGradient(file, picture),
        await topGradient('float.onnx', picture),
      ];
      const cosine = dot(estimate, exact) / Math.sqrt(dot(estimate, estimate) * dot(exact, exact));
      expect(cosine).toBeGreaterThan(0.95);
    }
  });
});
