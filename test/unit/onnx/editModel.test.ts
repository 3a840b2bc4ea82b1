import fs from 'node:fs';
import * as ort from 'onnxruntime-node';
import { describe, expect, test } from 'vitest';
import { editModel } from '../../../server/src/onnx/editModel';
import type { Graph, Model } from '../../../server/src/onnx/graph';
import { readModel } from '../../../server/src/onnx/readModel';
import { fixtureDir, fixturePath, MemorySource, withModel } from './fixtures';

const whole = { keepOriginalOutputs: true, truncate: false };
const only = { keepOriginalOutputs: false, truncate: true };

const graphOf = (bytes: Uint8Array): Graph => readModel(new MemorySource(bytes)).graph;

async function run(
  model: string | Uint8Array,
  feeds: Readonly<Record<string, ort.Tensor>>,
): Promise<Record<string, unknown>> {
  const options = {
    // the optimiser of ONNX Runtime 1.30 aborts the process on constants.onnx, edited or not
    graphOptimizationLevel: 'disabled',
    logSeverityLevel: 3,
    extra: { session: { model_external_initializers_file_folder_path: fixtureDir } },
  } as const;
  const session =
    typeof model === 'string'
      ? await ort.InferenceSession.create(model, {
          graphOptimizationLevel: 'disabled',
          logSeverityLevel: 3,
        })
      : await ort.InferenceSession.create(model, options);
  const results = await session.run(feeds);
  await session.release();
  return Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, data]));
}

const subgraphFeeds = (c: boolean): Record<string, ort.Tensor> => ({
  x: new ort.Tensor(
    'float32',
    Float32Array.from({ length: 400 }, (_, i) => Math.sin(i)),
    [20, 20],
  ),
  c: new ort.Tensor('bool', [c], []),
});

describe('editModel', () => {
  test('weights of subgraphs, Constant nodes and typed fields stay in the file', async () => {
    const file = fixturePath('subgraphs.onnx');
    await withModel(file, async ({ model }) => {
      const { bytes, externalFolderNeeded } = editModel(model, {
        ...whole,
        outputs: ['chosen', 'main_constant', 'captured', 'x'],
      });
      expect(externalFolderNeeded).toBe(true);
      const graph = graphOf(bytes);
      // four weights became references of less than 80 bytes; int32_data is encoded and comes along; main_constant is asked for and stays a node
      expect(fs.statSync(file).size - bytes.length).toBeGreaterThan(4 * (1600 - 80));
      expect(graph.nodes.filter(({ op }) => op === 'Constant')).toHaveLength(1);
      for (const c of [true, false]) {
        const { chosen, main_constant, captured, x, ...rest } = await run(bytes, subgraphFeeds(c));
        expect(rest).toEqual(await run(file, subgraphFeeds(c)));
        expect(x).toEqual(subgraphFeeds(c)['x']?.data);
        for (const tensor of [chosen, main_constant, captured])
          expect(tensor).toHaveProperty('length', 400);
      }
    });
  });

  test('a truncated copy has what its outputs need, captures of subgraphs included', async () => {
    await withModel(fixturePath('subgraphs.onnx'), async ({ model }) => {
      const { bytes } = editModel(model, { ...only, outputs: ['chosen'] });
      const graph = graphOf(bytes);
      expect(graph.nodes.map(({ op }) => op)).toEqual(['Add', 'If']);
      expect([...graph.initializers.keys()]).toEqual(['captured']);
      expect(graph.outputs.map(({ name }) => name)).toEqual(['chosen']);
      const scaled = graphOf(editModel(model, { ...only, outputs: ['scaled'] }).bytes);
      expect(scaled.nodes.map(({ op }) => op)).toEqual(['Mul']);
      expect([...scaled.initializers.keys()]).toEqual(['main_constant']);
      expect(scaled.inputs.map(({ name }) => name)).toEqual(['x']);
      const full = await run(
        editModel(model, { ...whole, outputs: ['chosen'] }).bytes,
        subgraphFeeds(true),
      );
      expect((await run(bytes, subgraphFeeds(true)))['chosen']).toEqual(full['chosen']);
    });
  });

  test('names that are not there, or inside a subgraph, are refused', async () => {
    await withModel(fixturePath('subgraphs.onnx'), ({ model }) => {
      const edit = (name: string): unknown => editModel(model, { ...only, outputs: [name] });
      expect(() => edit('nothing')).toThrow(
        expect.objectContaining({
          code: 'tensorNotFound',
          message: expect.stringContaining('nothing'),
        }),
      );
      expect(() => edit('')).toThrow(expect.objectContaining({ code: 'tensorNotFound' }));
      expect(() => edit('inside')).toThrow(
        expect.objectContaining({
          code: 'unsupported',
          message: expect.stringContaining('inside the If node choice'),
        }),
      );
    });
  });

  test('weights that are inputs too stay inputs, so that nothing is folded that was not', async () => {
    await withModel(fixturePath('old.onnx'), async ({ model }) => {
      expect([...model.graph.overridable]).toEqual(['w']);
      const { bytes, externalFolderNeeded } = editModel(model, { ...whole, outputs: [] });
      expect(externalFolderNeeded).toBe(false);
      expect([...graphOf(bytes).overridable]).toEqual(['w']);
      const feeds = { x: new ort.Tensor('float32', [1, 0, 0, 2], [2, 2]) };
      expect(await run(bytes, feeds)).toEqual({ y: Float32Array.of(1, 2, 6, 8) });
    });
  });

  test('sparse and external weights are kept', async () => {
    await withModel(fixturePath('sparse.onnx'), async ({ model }) => {
      const { bytes } = editModel(model, { ...whole, outputs: ['a'] });
      const x = new ort.Tensor('float32', new Float32Array(8), [2, 4]);
      expect(await run(bytes, { x })).toEqual({
        a: Float32Array.of(1.5, 0, 0, -2, 0, 0, 0, 3),
        y: Float32Array.of(1.5, 4, 0, -2, 0, 0, 0, 8),
      });
    });
    await withModel(fixturePath('external.onnx'), async ({ model, external }) => {
      const { bytes, externalFolderNeeded } = editModel(model, { ...whole, outputs: [] }, external);
      expect(externalFolderNeeded).toBe(true);
      expect(await run(bytes, {})).toEqual(await run(fixturePath('external.onnx'), {}));
    });
  });

  test('a reference out of the folder never reaches ONNX Runtime', async () => {
    await withModel(fixturePath('external_bad.onnx'), ({ model }) => {
      const edit = (): unknown => editModel(model, { ...whole, outputs: [] });
      expect(edit).toThrow(expect.objectContaining({ code: 'missingExternalData' }));
    });
  });

  test('nodes that an edit made are written from what is known of them', async () => {
    await withModel(fixturePath('constants.onnx'), async ({ model }) => {
      const nodes = model.graph.nodes.map(node => ({ ...node, span: null }));
      const made: Model = { ...model, graph: { ...model.graph, nodes } };
      const x = new ort.Tensor('float32', new Float32Array(24), [4, 6]);
      const { bytes } = editModel(made, { ...whole, outputs: ['ints'] });
      const expected = editModel(model, { ...whole, outputs: ['ints'] });
      const { ints, ...rest } = await run(bytes, { x });
      const original = await run(expected.bytes, { x });
      expect({ ...rest, ints: original['ints'] }).toEqual(original);
      expect(Object.keys(rest)).toHaveLength(28);
      // 2^62 is beyond what a number holds and becomes the end of the range
      expect(ints).toEqual(BigInt64Array.of(1n, 2n ** 63n - 1n, -5n));
    });
  });
});
