import * as ort from 'onnxruntime-node';
import type { LayerInfo } from '../../../protocol/model';
import type { Model } from '../../../server/src/onnx/graph';
import { readModel } from '../../../server/src/onnx/readModel';
import { readTensor } from '../../../server/src/onnx/readTensor';
import type { Tensor } from '../../../server/src/onnx/tensor';
import type { MethodContext } from '../../../server/src/methods/method';
import { writeModel, type ModelInput } from '../../bench/onnxWriter';

/** A model of the writer with a context whose runs ONNX Runtime makes directly: the engine has no part in these tests. */
export interface ModelContext extends MethodContext {
  /** Names of the tensors that were asked of the runtime. */
  readonly asked: readonly string[];
}

/** What the layer list would say of each node; modules and shapes are left open. */
function layersOf(model: Model): LayerInfo[] {
  return model.graph.nodes.map((node, index) => ({
    id: node.name || `${node.op}_${index}`,
    name: node.name,
    op: node.op,
    kind: node.op.includes('Conv') ? 'conv' : 'other',
    modulePath: null,
    inputs: node.inputs,
    outputs: node.outputs,
    outputShape: null,
    parameters: node.inputs.flatMap(name => {
      const ref = model.graph.initializers.get(name);
      return ref ? [{ role: 'weight', name, shape: ref.shape, dtype: ref.dtype }] : [];
    }),
    parameterCount: 0,
    attributes: {},
    source: null,
    subgraph: '',
  }));
}

/** Opens a written model; every value in it can be asked for. `fed` are its inputs, float32. */
export function modelContext(
  input: ModelInput,
  fed: Readonly<Record<string, Tensor>> = {},
  layers: Readonly<Record<string, Partial<LayerInfo>>> = {},
): ModelContext {
  const bytes = writeModel(input);
  const source = {
    name: 'written.onnx',
    size: bytes.length,
    read: (offset: number, length: number) =>
      Uint8Array.from(bytes.subarray(offset, offset + length)),
  };
  const model = readModel(source);
  const tensors = new Map(Object.entries(fed));
  const asked: string[] = [];
  const refuse = (): never => {
    throw new Error('not part of this test');
  };
  return {
    model,
    layers: layersOf(model).map(layer => ({ ...layer, ...layers[layer.id] })),
    signal: new AbortController().signal,
    asked,
    report: () => undefined,
    readTensor: ref => readTensor(model, ref, refuse),
    fed: () => Promise.resolve(tensors),
    feedsKey: () => Promise.resolve('fed'),
    infer: refuse,
    runGraph: refuse,
    keptGraph: () => null,
    readArray: refuse,
    tokenTexts: refuse,
    geometry: () => Promise.resolve(null),
    decode: refuse,
    preprocess: refuse,
    async values(_feeds, names) {
      asked.push(...names);
      return {
        tensors: await runValues(input, fed, names),
        times: { loadMs: 0, forwardMs: 0 },
        warnings: [],
      };
    },
  };
}

/** Values of a run of the model with these tensors declared as its outputs, as the writer writes it. */
async function runValues(
  input: ModelInput,
  fed: Readonly<Record<string, Tensor>>,
  names: readonly string[],
): Promise<Map<string, Tensor>> {
  const outputs = names.map(
    name => input.outputs.find(output => output.name === name) ?? { name, shape: null },
  );
  const session = await ort.InferenceSession.create(writeModel({ ...input, outputs }), {
    logSeverityLevel: 3,
  });
  const feeds: Record<string, ort.Tensor> = {};
  for (const [name, tensor] of Object.entries(fed))
    if (tensor.data instanceof Float32Array)
      feeds[name] = new ort.Tensor('float32', tensor.data, tensor.shape);
  const results = await session.run(feeds);
  await session.release();
  return new Map(
    Object.entries(results).map(([name, value]): [string, Tensor] => {
      const { data } = value;
      if (data instanceof Float32Array)
        return [name, { dtype: 'float32', shape: value.dims, data }];
      if (data instanceof Uint8Array) return [name, { dtype: 'uint8', shape: value.dims, data }];
      throw new Error(`the test does not read ${value.type}`);
    }),
  );
}
