import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type {
  AttributionMethod,
  AttributionOptions,
  ExplainResult,
} from '../../../../protocol/attribution';
import type { Progress } from '../../../../protocol/rpc';
import { pathPoints } from '../../../../server/src/methods/attribution/integrationRules';
import { randomNumbers } from '../../../../server/src/methods/attribution/randomNumbers';
import { scatteredOrder } from '../../../../server/src/methods/attribution/scatteredOrder';
import { elementCount, type Tensor } from '../../../../server/src/onnx/tensor';
import { seededFloats, writeModel } from '../../../bench/onnxWriter';
import { floatTensor, LocalEngine } from './localEngine';
import { LAYOUTS, references, relativeError } from './smallNetwork';

interface Numbers {
  readonly legendre: readonly {
    readonly nodes: readonly number[];
    readonly weights: readonly number[];
  }[];
  readonly blur: readonly number[];
}
const numbers: Numbers = JSON.parse(
  readFileSync(
    path.resolve(import.meta.dirname, '../../../fixtures/attribution/numbers.json'),
    'utf8',
  ),
);

const [small] = LAYOUTS;
if (!small) throw new Error('no network');

let engine: LocalEngine;
beforeAll(() => {
  engine = new LocalEngine();
});
afterAll(() => engine.dispose());

const explained = (
  method: AttributionMethod,
  options: AttributionOptions = {},
  input: Tensor = small.tensor(references.input),
): Promise<ExplainResult> =>
  engine.explain({ model: small.model, feeds: { input: engine.feed(input) }, method, options });

/** One of the two images of the references. */
function image(index: number): Tensor {
  const { shape, values } = references.input;
  const size = values.length / 2;
  return floatTensor(
    [1, ...shape.slice(1)],
    Float32Array.from(values.slice(index * size, (index + 1) * size)),
  );
}

/** A model without a picture's structure: y = Σ w · x over [1, 1, rows, columns]. */
const linear = (weights: Float32Array, rows: number, columns: number): string =>
  engine.model(
    writeModel({
      nodes: [
        { op: 'Flatten', inputs: ['x'], outputs: ['flat'] },
        { op: 'Gemm', inputs: ['flat', 'w', 'b'], outputs: ['y'], attributes: { transB: 1 } },
      ],
      inputs: [{ name: 'x', shape: ['batch', 1, rows, columns] }],
      outputs: [{ name: 'y', shape: ['batch', 1] }],
      initializers: [
        { name: 'w', shape: [1, rows * columns], data: weights },
        { name: 'b', shape: [1], data: new Float32Array(1) },
      ],
    }),
  );

const Y = { kind: 'element', tensor: 'y', index: [0, 0] } as const;

describe('the points of Integrated Gradients', () => {
  test.each(numbers.legendre)('$nodes.length Gauss-Legendre points as NumPy', want => {
    const points = pathPoints('gauss-legendre', want.nodes.length, undefined);
    for (const [i, { alpha, weight }] of points.entries()) {
      expect(Math.abs(2 * alpha - 1 - (want.nodes[i] ?? NaN))).toBeLessThan(1e-14);
      expect(Math.abs(2 * weight - (want.weights[i] ?? NaN))).toBeLessThan(1e-14);
    }
  });

  test('the trapezoid is exact for straight lines, captum’s form is short of one step', () => {
    const integral = (convention?: 'captum'): number =>
      pathPoints('trapezoid', 5, convention).reduce(
        (sum, { alpha, weight }) => sum + weight * (3 * alpha + 1),
        0,
      );
    expect(integral()).toBeCloseTo(2.5, 12);
    expect(integral('captum')).toBeCloseTo(2.5 * 0.8, 12);
  });

  test.each([1, 2, 7, 50])('%i points are each visited once, evenly from the beginning', n => {
    const order = scatteredOrder(n);
    expect([...order].sort((a, b) => a - b)).toEqual([...Array(n).keys()]);
    const first = order.slice(0, Math.ceil(n / 4));
    for (const half of [0, 1])
      expect(first.filter(i => Math.floor((2 * i) / n) === half).length).toBeLessThanOrEqual(
        Math.ceil(first.length / 2) + 1,
      );
  });
});

describe('Integrated Gradients', () => {
  test('say how much of the score’s change they explain', async () => {
    const many = await explained('integrated-gradients');
    expect(many.options).toEqual({ steps: 50, rule: 'gauss-legendre', baseline: 'zero' });
    const { sum, difference, gap } = many.completeness ?? { sum: 0, difference: 0, gap: 1 };
    expect(gap).toBeLessThan(0.01);
    expect(gap).toBeCloseTo(Math.abs(sum - difference) / Math.abs(difference), 12);
    const half = many.attribution.length / 2;
    expect(many.attribution.subarray(0, half).reduce((a, b) => a + b, 0)).toBeCloseTo(sum, 6);
    expect(many.findings).toEqual([]);
    const few = await explained('integrated-gradients', { steps: 1, rule: 'left' });
    expect(few.findings.map(({ kind }) => kind)).toEqual(['incomplete']);
  });

  test.each(['mean', 'blur'] as const)('start from the %s of each channel', async kind => {
    const x = image(0);
    const [, channels = 1, rows = 1, columns = 1] = x.shape;
    const model = linear(new Float32Array(rows * columns).fill(1), rows, columns);
    const size = rows * columns;
    for (let channel = 0; channel < channels; channel++) {
      const plane = Float32Array.from({ length: size }, (_, i) =>
        Number(x.data[channel * size + i]),
      );
      const result = await engine.explain({
        model,
        feeds: { x: engine.feed(floatTensor([1, 1, rows, columns], plane)) },
        method: 'integrated-gradients',
        target: Y,
        options: { steps: 1, baseline: { kind } },
      });
      const mean = plane.reduce((a, b) => a + b, 0) / size;
      for (const [i, value] of result.attribution.entries()) {
        const from = kind === 'mean' ? mean : (numbers.blur[channel * size + i] ?? NaN);
        expect(Math.abs(value - ((plane[i] ?? 0) - from))).toBeLessThan(1e-5);
      }
    }
  });
});

describe('SmoothGrad', () => {
  test('is the gradient without noise', async () => {
    const same = await explained('smooth-grad', { samples: 3, sigma: 0 });
    const gradient = await explained('gradient');
    expect(relativeError(same.attribution, floatTensor([1], gradient.attribution))).toBeLessThan(
      1e-6,
    );
  });

  test('noise has a deviation of the stated share of the range', async () => {
    // the gradient of Σ x² at x + noise is 2 (x + noise): its variance over the samples is four times that of the noise
    const squares = engine.model(
      writeModel({
        nodes: [
          { op: 'Mul', inputs: ['x', 'x'], outputs: ['squares'] },
          { op: 'Flatten', inputs: ['squares'], outputs: ['flat'] },
          { op: 'Gemm', inputs: ['flat', 'w'], outputs: ['y'] },
        ],
        inputs: [{ name: 'x', shape: [1, 1, 20, 20] }],
        outputs: [{ name: 'y', shape: [1, 1] }],
        initializers: [{ name: 'w', shape: [400, 1], data: new Float32Array(400).fill(1) }],
      }),
    );
    const data = seededFloats(1, 400, 4);
    const range = Math.max(...data) - Math.min(...data);
    const result = await engine.explain({
      model: squares,
      feeds: { x: engine.feed(floatTensor([1, 1, 20, 20], data)) },
      method: 'smooth-grad',
      target: Y,
      options: { reduce: 'variance' },
    });
    expect(result.options).toEqual({ samples: 25, reduce: 'variance', sigma: 0.15, seed: 0 });
    const variance = result.attribution.reduce((sum, value) => sum + value, 0) / 400;
    // of 25 samples, over n; five standard errors of 10 000 numbers
    const expected = 4 * (0.15 * range) ** 2 * (24 / 25);
    expect(Math.abs(variance / expected - 1)).toBeLessThan(0.07);
  });

  test('takes the same numbers for the same seed, and for every image of a batch', async () => {
    const of = (seed: number): Promise<ExplainResult> =>
      explained('smooth-grad', { samples: 4, seed });
    const [first, again, other] = [await of(5), await of(5), await of(6)];
    expect(again.attribution).toEqual(first.attribution);
    expect(other.attribution).not.toEqual(first.attribution);
    const alone = await explained('smooth-grad', { samples: 4, seed: 5 }, image(1));
    const second = first.attribution.slice(first.attribution.length / 2);
    expect(relativeError(alone.attribution, floatTensor([1], second))).toBeLessThan(1e-5);
  });

  test('its random numbers are normal', () => {
    const random = randomNumbers(1);
    const values = Float64Array.from({ length: 100_000 }, () => random.normal());
    const moment = (power: number): number =>
      values.reduce((sum, value) => sum + value ** power, 0) / values.length;
    // five standard errors of the moments of 100 000 normal numbers
    expect(Math.abs(moment(1))).toBeLessThan(0.016);
    expect(Math.abs(moment(2) - 1)).toBeLessThan(0.023);
    expect(Math.abs(moment(3))).toBeLessThan(0.062);
    expect(Math.abs(moment(4) - 3)).toBeLessThan(0.16);
  });
});

describe('RISE', () => {
  test('finds the places that a linear model looks at', async () => {
    const [rows, columns] = [21, 28];
    const weights = new Float32Array(rows * columns);
    for (let row = 3; row < 9; row++)
      for (let column = 14; column < 20; column++) weights[row * columns + column] = 1;
    const result = await engine.explain({
      model: linear(weights, rows, columns),
      feeds: {
        x: engine.feed(
          floatTensor([1, 1, rows, columns], new Float32Array(rows * columns).fill(1)),
        ),
      },
      method: 'rise',
      target: Y,
      options: { masks: 600, seed: 3 },
    });
    expect(result.options).toEqual({ masks: 600, cell: 7, keep: 0.5, seed: 3 });
    const inside: number[] = [];
    const outside: number[] = [];
    for (const [i, value] of result.map.entries()) {
      const [row, column] = [Math.floor(i / columns), i % columns];
      if (weights[i] === 1) inside.push(value);
      // masks are smooth over a cell and its neighbours, 6 pixels
      else if (row < 3 - 6 || row > 8 + 6 || column < 14 - 6 || column > 19 + 6)
        outside.push(value);
    }
    const mean = (values: readonly number[]): number =>
      values.reduce((a, b) => a + b, 0) / values.length;
    expect(mean(inside)).toBeGreaterThan(10 * Math.abs(mean(outside)));
    expect(Math.min(...inside)).toBeGreaterThan(Math.max(...outside));
  });
});

describe('methods that refine', () => {
  const METHODS = [
    ['score-cam', {}],
    ['ablation-cam', {}],
    ['integrated-gradients', { steps: 20 }],
    ['smooth-grad', { samples: 20 }],
    ['occlusion', { window: 2, stride: 1 }],
    ['rise', { masks: 40 }],
  ] as const satisfies readonly (readonly [AttributionMethod, AttributionOptions])[];

  test.each(METHODS)('%s tells how far it is, with what it has', async (method, options) => {
    const told: Progress[] = [];
    const result = await engine.explain(
      {
        model: small.model,
        feeds: { input: engine.feed(small.tensor(references.input)) },
        method,
        options,
      },
      { onProgress: progress => told.push(progress) },
    );
    const fractions = told.flatMap(({ fraction }) => fraction ?? []);
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
    expect(fractions.at(-1)).toBe(1);
    const partial = told.find(each => each.partial !== undefined)?.partial;
    expect(partial).toMatchObject({
      method,
      rows: result.rows,
      columns: result.columns,
      attributionShape: [0],
      target: result.target,
    });
  });

  test.each(METHODS)('%s ends within the run in which it is stopped', async (method, options) => {
    const controller = new AbortController();
    let told = 0;
    const stopped = engine.explain(
      {
        model: small.model,
        feeds: { input: engine.feed(small.tensor(references.input)) },
        method,
        options,
      },
      {
        signal: controller.signal,
        onProgress: ({ message }) => {
          if (message === undefined) return;
          told++;
          if (told === 2) controller.abort();
        },
      },
    );
    await expect(stopped).rejects.toMatchObject({ code: 'cancelled' });
    expect(told).toBe(2);
  });

  test.each(['score-cam', 'ablation-cam', 'occlusion', 'integrated-gradients'] as const)(
    '%s of a batch is that of each image by itself',
    async method => {
      const both = await explained(method);
      for (const index of [0, 1]) {
        const alone = await explained(method, {}, image(index));
        const size = elementCount(alone.attributionShape);
        const part = both.attribution.slice(index * size, (index + 1) * size);
        expect(relativeError(alone.attribution, floatTensor([1], part))).toBeLessThan(1e-5);
      }
    },
  );

  test('the channels with the largest mean square count where not all are used', async () => {
    const all = await explained('ablation-cam', { channelsUsed: 'all' });
    const [first] = LAYOUTS;
    expect(first?.layout).toBe('NCHW');
    const some = await explained('ablation-cam', { channelsUsed: 8 });
    expect(some.attribution).toEqual(all.attribution);
    expect(some.options).toEqual({ 'channels-used': 8 });
    const one = await explained('ablation-cam', { channelsUsed: 1 });
    expect(one.attribution).not.toEqual(all.attribution);
  });

  test('files that do not fit are refused by their name', async () => {
    const noise = engine.array(floatTensor([3, 1, 3, 5, 5], new Float32Array(225)));
    await expect(explained('smooth-grad', { noise })).rejects.toMatchObject({
      code: 'wrongShape',
      message: `${noise} has the shape [1, 3, 5, 5], but the input takes [2, 3, 12, 10].`,
    });
    const few = engine.array(floatTensor([2, 1, 3, 12, 10], new Float32Array(720)));
    await expect(explained('smooth-grad', { noise: few, samples: 3 })).rejects.toMatchObject({
      code: 'wrongShape',
      message: `${few} holds 2 samples of noise, not 3.`,
    });
    const picture = { kind: 'file', path: 'grey.png' } as const;
    await expect(explained('occlusion', { baseline: picture })).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining('give the baseline as .npy too'),
    });
  });

  test.each([
    ['integrated-gradients', { steps: 0 }, '"steps" is a whole number from 1 to 10000; 0 is not.'],
    ['integrated-gradients', { steps: 1, rule: 'trapezoid' }, '"steps" is a whole number from 2'],
    ['smooth-grad', { samples: 2.5 }, '"samples" is a whole number'],
    ['smooth-grad', { sigma: -1 }, '"sigma" is a number from 0 to 10; -1 is not.'],
    ['occlusion', { window: 99 }, '"window" is a whole number from 1 to 12; 99 is not.'],
    ['occlusion', { window: 3, stride: 4 }, '"stride" is a whole number from 1 to 3; 4 is not.'],
    ['rise', { keep: 1 }, '"keep" is a number'],
    ['rise', { cell: 11 }, '"cell" is a whole number from 1 to 10; 11 is not.'],
    ['score-cam', { channelsUsed: 0 }, '"channels-used" is a whole number'],
  ] as const satisfies readonly (readonly [AttributionMethod, AttributionOptions, string])[])(
    '%s refuses %j',
    async (method, options, message) => {
      await expect(explained(method, options)).rejects.toMatchObject({
        code: 'outOfRange',
        message: expect.stringContaining(message),
      });
    },
  );
});
