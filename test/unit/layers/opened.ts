import path from 'node:path';
import * as ort from 'onnxruntime-node';
import type { LayerInfo, ValueInfo } from '../../../protocol/model';
import { openModelFile } from '../../../server/src/files/modelFile';
import { editModel } from '../../../server/src/onnx/editModel';
import type { Model } from '../../../server/src/onnx/graph';
import { inlineFunctions } from '../../../server/src/onnx/inlineFunctions';
import { listLayers } from '../../../server/src/onnx/layers';
import { readTensor } from '../../../server/src/onnx/readTensor';
import { inferValues } from '../../../server/src/onnx/shapes/inferShapes';

export interface Opened {
  readonly model: Model;
  readonly shapes: ReadonlyMap<string, ValueInfo>;
  readonly layers: readonly LayerInfo[];
  constant(name: string): readonly number[] | null;
  /** Runs the model with these tensors declared as outputs. */
  session(outputs: readonly string[]): Promise<ort.InferenceSession>;
  close(): void;
}

/** The models that make.py wrote. */
export const fixture = (name: string): string =>
  path.resolve(import.meta.dirname, '../../fixtures/layers', name);

export function opened(file: string, inputShapes?: ReadonlyMap<string, readonly number[]>): Opened {
  const { model: stored, external, dispose } = openModelFile(file);
  const model = inlineFunctions(stored);
  const read = (ref: Parameters<typeof readTensor>[1]) => readTensor(model, ref, external);
  const { shapes, elements } = inferValues(model, {
    readConstant: read,
    ...(inputShapes ? { inputShapes } : {}),
  });
  return {
    model,
    shapes,
    layers: listLayers(model, shapes, elements),
    constant: elements,
    session: outputs =>
      ort.InferenceSession.create(
        editModel(model, { outputs, keepOriginalOutputs: false, truncate: false }, external).bytes,
        {
          logSeverityLevel: 3,
          graphOptimizationLevel: 'disabled',
          intraOpNumThreads: 1,
          extra: { session: { model_external_initializers_file_folder_path: path.dirname(file) } },
        },
      ),
    close: dispose,
  };
}

/** Values of one output as floats. */
export async function valuesOf(
  session: ort.InferenceSession,
  feeds: Readonly<Record<string, ort.Tensor>>,
  name: string,
): Promise<Float32Array> {
  const data = (await session.run(feeds, [name]))[name]?.data;
  if (!(data instanceof Float32Array)) throw new Error(`${name} is no float32 tensor`);
  return data;
}

/** Uniform numbers from 0 to 1, the same for the same seed (mulberry32). */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
