import { readFileSync } from 'node:fs';
import path from 'node:path';
import * as ort from 'onnxruntime-node';
import { expect, it } from 'vitest';
import type { ValueInfo } from '../../../protocol/model';
import { openModelFile } from '../../../server/src/files/modelFile';
import { editModel } from '../../../server/src/onnx/editModel';
import type { Model } from '../../../server/src/onnx/graph';
import { readTensor } from '../../../server/src/onnx/readTensor';
import { inferShapes } from '../../../server/src/onnx/shapes/inferShapes';
import { describeShared } from '../../shared';

interface KnownModel {
  readonly file: string;
  readonly onnxruntime_node_1_30?: {
    readonly loads_and_runs: boolean;
    readonly fed: Readonly<Record<string, string>> | null;
  };
}

function feed(name: string, type: string): readonly [ort.Tensor, readonly number[]] {
  const [, dtype = '', sizes = ''] = /^(\w+)\[(.*)\]$/.exec(type) ?? [];
  const shape = sizes === '' ? [] : sizes.split(',').map(Number);
  const length = shape.reduce((product, size) => product * size, 1);
  switch (dtype) {
    case 'float32':
      return [new ort.Tensor('float32', new Float32Array(length).fill(0.5), shape), shape];
    case 'float16':
      return [new ort.Tensor('float16', new Uint16Array(length).fill(0x3800), shape), shape];
    case 'int32':
      return [new ort.Tensor('int32', new Int32Array(length).fill(1), shape), shape];
    case 'int64':
      return [
        new ort.Tensor('int64', new BigInt64Array(length).fill(name === 'sr' ? 16000n : 1n), shape),
        shape,
      ];
    default:
      return [new ort.Tensor('bool', new Uint8Array(length).fill(1), shape), shape];
  }
}

/** Types and shapes of every tensor of the main graph, from a run that gives them all. */
async function runOf(
  model: Model,
  folder: string,
  external: ReturnType<typeof openModelFile>['external'],
  feeds: Record<string, ort.Tensor>,
) {
  const names = new Set(
    model.graph.nodes.flatMap(node => node.outputs).filter(name => name !== ''),
  );
  const { bytes } = editModel(
    model,
    { outputs: [...names], keepOriginalOutputs: false, truncate: false },
    external,
  );
  const session = await ort.InferenceSession.create(bytes, {
    logSeverityLevel: 4,
    graphOptimizationLevel: 'disabled',
    extra: { session: { model_external_initializers_file_folder_path: folder } },
  });
  const used = Object.fromEntries(
    Object.entries(feeds).filter(([name]) => session.inputNames.includes(name)),
  );
  const results = await session.run(used);
  await session.release();
  return results;
}

const known = (info: ValueInfo | undefined): boolean =>
  info?.shape?.every(length => typeof length === 'number') ?? false;

describeShared('shapes of whole models against ONNX Runtime', dir => {
  const folder = path.join(dir, 'models');
  const models: readonly KnownModel[] = JSON.parse(
    readFileSync(path.join(folder, 'models.json'), 'utf8'),
  );
  for (const { file, onnxruntime_node_1_30: facts } of models) {
    // labels and probabilities of the scikit-learn model are no tensors
    if (
      !facts?.loads_and_runs ||
      facts.fed === null ||
      !file.endsWith('.onnx') ||
      file.startsWith('lr_mnist')
    )
      continue;
    const { fed } = facts;
    it(`${file}: no wrong shape`, async () => {
      const { model, external, dispose } = openModelFile(path.join(folder, file));
      const read = (ref: Parameters<typeof readTensor>[1]) => readTensor(model, ref, external);
      const pairs = Object.entries(fed).map(([name, type]) => [name, feed(name, type)] as const);
      const results = await runOf(
        model,
        folder,
        external,
        Object.fromEntries(pairs.map(([name, [tensor]]) => [name, tensor])),
      );
      const inputShapes = new Map(pairs.map(([name, [, shape]]) => [name, shape]));
      const without = inferShapes(model, { readConstant: read });
      const withFed = inferShapes(model, { readConstant: read, inputShapes });
      dispose();
      const entries = Object.entries(results);
      for (const shapes of [without, withFed])
        for (const [name, { dims, type }] of entries) {
          const info = shapes.get(name);
          expect(info?.dtype, name).toBe(type);
          if (info?.shape)
            expect(
              info.shape.map((length, axis) => (typeof length === 'number' ? length : dims[axis])),
              name,
            ).toEqual(dims);
        }
      const share = (shapes: ReadonlyMap<string, ValueInfo>) =>
        entries.filter(([name]) => known(shapes.get(name))).length;
      // only what a branch of If decides is open once the shapes are fed
      if (!file.startsWith('silero')) expect(share(withFed)).toBe(entries.length);
    });
  }
});
