import path from 'node:path';
import * as ort from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { subgraphsOf } from '../../../server/src/onnx/constantPlan';
import { editModel } from '../../../server/src/onnx/editModel';
import type { Graph, Model } from '../../../server/src/onnx/graph';
import { inlineFunctions } from '../../../server/src/onnx/inlineFunctions';
import { describeShared } from '../../shared';
import { fixturePath, withModel } from './fixtures';

/** Counts operators, those in subgraphs included. */
function operators(graph: Graph, into = new Map<string, number>()): ReadonlyMap<string, number> {
  for (const node of graph.nodes) {
    into.set(node.op, (into.get(node.op) ?? 0) + 1);
    for (const inner of subgraphsOf(node)) operators(inner, into);
  }
  return into;
}

const withoutOutputs = { outputs: [], keepOriginalOutputs: true, truncate: false };

async function valuesOf(
  model: string | Uint8Array,
  feeds: Readonly<Record<string, ort.Tensor>>,
): Promise<Record<string, unknown>> {
  const options = { logSeverityLevel: 3 } as const;
  const session =
    typeof model === 'string'
      ? await ort.InferenceSession.create(model, options)
      : await ort.InferenceSession.create(model, options);
  const results = await session.run(feeds);
  await session.release();
  return Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, data]));
}

function namesOnce(model: Model): void {
  const values = model.graph.nodes.flatMap(node => node.outputs).filter(name => name !== '');
  expect(new Set(values).size).toBe(values.length);
  const names = model.graph.nodes.map(({ name }) => name).filter(name => name !== '');
  expect(new Set(names).size).toBe(names.length);
  expect(model.graph.nodes.map(({ index }) => index)).toEqual([...model.graph.nodes.keys()]);
}

describe('inlineFunctions', () => {
  test('calls, attributes, defaults, subgraphs and passed inputs compute as before', async () => {
    await withModel(fixturePath('functions.onnx'), async ({ model }) => {
      const inlined = inlineFunctions(model);
      expect(inlined.functions).toEqual([]);
      expect(inlined.problems).toEqual([]);
      namesOnce(inlined);
      expect(inlined.graph.nodes.map(({ name }) => name)).toContain('second/r');
      const { bytes } = editModel(inlined, withoutOutputs);
      for (const c of [0, 1]) {
        const feeds = {
          x: new ort.Tensor('float32', [1, -2, 3.5], [3]),
          c: new ort.Tensor('bool', Uint8Array.of(c), []),
        };
        const expected = await valuesOf(fixturePath('functions.onnx'), feeds);
        expect(await valuesOf(bytes, feeds)).toEqual(expected);
        expect(expected['a']).toEqual(Float32Array.of(...[1, -2, 3.5].map(x => x * (c ? 10 : -3))));
      }
    });
  });

  test('an input that is an output, and an output given twice, are copied', async () => {
    await withModel(fixturePath('passing.onnx'), async ({ model }) => {
      const { bytes } = editModel(inlineFunctions(model), withoutOutputs);
      const x = Float32Array.of(1, -2, 3);
      const values = await valuesOf(bytes, { x: new ort.Tensor('float32', x, [3]) });
      expect(values).toEqual({ a: x, b: x.map(each => -each), c: x.map(each => -each) });
    });
  });

  test('a function that calls itself stays, with a problem', async () => {
    await withModel(fixturePath('recursive.onnx'), ({ model }) => {
      const inlined = inlineFunctions(model);
      expect(inlined.graph.nodes.map(({ op }) => op)).toEqual(['Ping']);
      expect(inlined.problems).toMatchObject([{ severity: 'error', subject: 'Ping' }]);
      expect(inlined.functions).toHaveLength(2);
    });
  });

  test('what doubles 23 times stays bounded', async () => {
    await withModel(fixturePath('exploding.onnx'), ({ model }) => {
      const started = performance.now();
      const inlined = inlineFunctions(model);
      expect(inlined.graph.nodes.length).toBeLessThan(250_000);
      expect(inlined.problems[0]?.message).toContain('larger than 200000 nodes');
      expect(performance.now() - started).toBeLessThan(5000);
    });
  });

  test('a model without functions is the same object', async () => {
    await withModel(fixturePath('constants.onnx'), ({ model }) =>
      expect(inlineFunctions(model)).toBe(model),
    );
  });
});

describeShared('inlining real models', dir => {
  test('resnet18_dynamo: 87 nested functions', async () => {
    await withModel(path.join(dir, 'models', 'resnet18_dynamo.onnx'), ({ model }) => {
      expect(model.functions).toHaveLength(87);
      const inlined = inlineFunctions(model);
      namesOnce(inlined);
      const counts = operators(inlined.graph);
      // onnx.inliner.inline_local_functions gives the same counts
      expect(Object.fromEntries(counts)).toEqual({
        Shape: 104,
        Constant: 142,
        Expand: 40,
        CastLike: 33,
        Size: 44,
        Equal: 25,
        Not: 20,
        If: 65,
        Unsqueeze: 22,
        Identity: 63,
        ConvTranspose: 20,
        Conv: 20,
        Squeeze: 22,
        BatchNormalization: 20,
        Cast: 41,
        Relu: 17,
        MaxPool: 2,
        Slice: 1,
        Sub: 1,
        Mul: 8,
        Add: 8,
        ReduceMean: 1,
        Reshape: 1,
        Transpose: 1,
        Gemm: 1,
      });
    });
  });

  test('ort_function_variadics computes as before', async () => {
    const file = path.join(dir, 'models', 'ort_function_variadics.onnx');
    await withModel(file, async ({ model }) => {
      const tensor = (seed: number): ort.Tensor =>
        new ort.Tensor(
          'float32',
          Float32Array.from({ length: 60 }, (_, i) => Math.cos(seed + i)),
          [6, 10],
        );
      const feeds = { x1: tensor(1), x2: tensor(2) };
      const { bytes } = editModel(inlineFunctions(model), withoutOutputs);
      expect(await valuesOf(bytes, feeds)).toEqual(await valuesOf(file, feeds));
    });
  });
});
