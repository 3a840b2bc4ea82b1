import { readFileSync } from 'node:fs';
import path from 'node:path';
import type * as ort from 'onnxruntime-node';
import { expect, test } from 'vitest';
import type { DataType } from '../../../../protocol/model';
import { openModelFile, type ModelFile } from '../../../../server/src/files/modelFile';
import { normalize, type Normalized } from '../../../../server/src/gradient/normalize';
import type { Model, TensorRef } from '../../../../server/src/onnx/graph';
import { inlineFunctions } from '../../../../server/src/onnx/inlineFunctions';
import { halfFromFloat, toFloat32 } from '../../../../server/src/onnx/numbers';
import { readTensor } from '../../../../server/src/onnx/readTensor';
import { inferValues } from '../../../../server/src/onnx/shapes/inferShapes';
import type { Tensor } from '../../../../server/src/onnx/tensor';
import { describeShared } from '../../../shared';
import { arrayOf, difference, largest, numeric, run } from './written';

/** What models.json says of a model that runs. */
interface KnownModel {
  readonly file: string;
  readonly onnxruntime_node_1_30?: {
    readonly loads_and_runs: boolean;
    readonly fed: Readonly<Record<string, string>> | null;
  };
}

/** Values that all models can be fed: small indices, a sampling rate, numbers that are not all alike. */
function valueFor(name: string, dtype: DataType, index: number): number {
  if (dtype === 'float32' || dtype === 'float16') return Math.sin(0.37 * index + 1);
  if (name === 'sr') return 16000;
  return name === 'cache_indir' ? 0 : 1;
}

function fedTensor(name: string, type: string): Tensor {
  const [, dtype = '', sizes = ''] = /^(\w+)\[(.*)\]$/.exec(type) ?? [];
  const shape = sizes === '' ? [] : sizes.split(',').map(Number);
  const count = shape.reduce((a, b) => a * b, 1);
  const kind = KINDS.find(each => each === dtype) ?? 'bool';
  const values = Array.from({ length: count }, (_, i) => valueFor(name, kind, i));
  if (kind === 'float16')
    return { dtype: kind, shape, data: Uint16Array.from(values, halfFromFloat) };
  return { dtype: kind, shape, data: arrayOf(kind, values) };
}
/** Models of which the form differs from the model. */
const CHANGED: ReadonlySet<string> = new Set([
  'squeezenet_fp16.onnx',
  'mobilenetv2-12-int8.onnx',
  'silero_vad_v5.onnx',
  'tiny_random_gpt2_past.onnx',
  'ort_attention_mha.onnx',
  'ort_whisper_enc_selfattn_fp16.onnx',
  'ort_mha_cross.onnx',
  'burn_attention_4d.onnx',
  'burn_attention_qk_output_3.onnx',
]);
const QUANTISED: ReadonlySet<string> = new Set([
  'mobilenetv2-12-int8.onnx',
  'ort_conv_int4_weights_qdq.onnx',
  'ort_conv_qdq_s8s8_perchannel.onnx',
  'ort_conv_qdq_external_ini.onnx',
]);

type Feeds = Readonly<Record<string, Tensor>>;

const KINDS = ['float32', 'float16', 'int32', 'int64', 'bool'] as const;

/** A tensor of a run as numbers: the bits of float16 as what they stand for. */
const floatsOf = (tensor: ort.Tensor | undefined): readonly number[] =>
  tensor?.type === 'float16'
    ? Array.from(
        toFloat32({
          dtype: 'float16',
          shape: tensor.dims,
          data: Uint16Array.from(numeric(tensor)),
        }),
      )
    : numeric(tensor);

describeShared('normal forms of real models', dir => {
  const folder = path.join(dir, 'models');
  const known: readonly KnownModel[] = JSON.parse(
    readFileSync(path.join(folder, 'models.json'), 'utf8'),
  );
  const runnable = known.filter(
    ({ file, onnxruntime_node_1_30: facts }) =>
      facts?.loads_and_runs && facts.fed && file.endsWith('.onnx'),
  );

  /** The normal form for feeds; conditions that only a run tells are asked of the form so far, until none is open. */
  async function normalFor(opened: ModelFile, model: Model, feeds: Feeds): Promise<Normalized> {
    const read = (ref: TensorRef): Tensor => readTensor(model, ref, opened.external);
    const inputShapes = new Map(Object.entries(feeds).map(([name, { shape }]) => [name, shape]));
    const { shapes, elements } = inferValues(model, { readConstant: read, inputShapes });
    const told = new Map<string, readonly number[]>();
    for (;;) {
      const normal = normalize(
        model,
        { shapes, elements: name => told.get(name) ?? elements(name) },
        read,
      );
      const open = normal.model.graph.nodes
        .filter(node => node.op === 'If')
        .map(node => node.inputs[0] ?? '');
      if (open.length === 0) return normal;
      const values = await run(normal.model, feeds, [...new Set(open)], folder);
      [...new Set(open)].forEach((name, i) => told.set(name, numeric(values[i])));
    }
  }

  test.each(runnable)('$file', async ({ file, onnxruntime_node_1_30: facts }) => {
    const opened = openModelFile(path.join(folder, file));
    const model = inlineFunctions(opened.model);
    const fed = Object.entries(facts?.fed ?? {});
    const feeds = Object.fromEntries(fed.map(([name, type]) => [name, fedTensor(name, type)]));
    const { model: normal, changed, approximate } = await normalFor(opened, model, feeds);
    expect(approximate !== null).toBe(QUANTISED.has(file));
    expect(changed).toBe(CHANGED.has(file));
    const nodes = normal.graph.nodes.filter(node => node.domain === 'com.microsoft');
    expect(nodes.map(node => node.op).filter(op => !op.endsWith('Gelu'))).toEqual([]);
    if (changed) await compare(model, normal, feeds, QUANTISED.has(file));
    opened.dispose();
  });

  async function compare(
    model: Model,
    normal: Model,
    feeds: Feeds,
    quantised: boolean,
  ): Promise<void> {
    const wide = Object.fromEntries(
      Object.entries(feeds).map(([name, tensor]): [string, Tensor] => [
        name,
        tensor.dtype === 'float16'
          ? { ...tensor, dtype: 'float32', data: toFloat32(tensor) }
          : tensor,
      ]),
    );
    if (quantised) return compareLayers(model, normal, wide);
    const outputs = model.graph.outputs.map(({ name }) => name);
    const expected = await run(model, feeds, outputs, folder);
    const got = await run(normal, wide, outputs, folder);
    outputs.forEach((_, i) => {
      const [a, b] = [expected[i], got[i]];
      expect(b?.dims).toEqual(a?.dims);
      expect(b?.type).toBe(a?.type === 'float16' ? 'float32' : a?.type);
      // a sum of float16 numbers is rounded to 11 bits again and again
      expect(difference(floatsOf(a), floatsOf(b))).toBeLessThan(
        a?.type === 'float16' ? 5e-3 : 1e-4,
      );
    });
  }

  /** Each layer is fed what the layers before it gave in the original: what lies between two steps may be rounded either way. */
  async function compareLayers(model: Model, normal: Model, feeds: Feeds): Promise<void> {
    const made = normal.graph.nodes
      .filter(node => node.op === 'QuantizeLinear')
      .flatMap(node => node.outputs);
    const expected = await run(model, feeds, made, folder);
    const inputs = Object.fromEntries(
      made.map((name, i): [string, Tensor] => {
        const dims = expected[i]?.dims ?? [];
        return [
          `${name}/fed`,
          { dtype: 'uint8', shape: dims, data: Uint8Array.from(numeric(expected[i])) },
        ];
      }),
    );
    const graph = {
      ...normal.graph,
      nodes: normal.graph.nodes.map(node => ({
        ...node,
        inputs: node.inputs.map(name => (made.includes(name) ? `${name}/fed` : name)),
        span: null,
      })),
      inputs: [
        ...normal.graph.inputs,
        ...Object.entries(inputs).map(([name, { dtype, shape }]) => ({ name, dtype, shape })),
      ],
    };
    const got = await run({ ...normal, graph }, { ...feeds, ...inputs }, made, folder);
    made.forEach((_, i) => {
      const [a, b] = [numeric(expected[i]), numeric(got[i])];
      const apart = a.map((value, k) => Math.abs(value - (b[k] ?? NaN)));
      expect(largest(apart)).toBeLessThanOrEqual(1);
      expect(apart.filter(steps => steps > 0).length).toBeLessThan(1 + a.length / 100);
    });
  }
});
