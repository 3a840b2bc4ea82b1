import fs from 'node:fs';
import path from 'node:path';
import * as ort from 'onnxruntime-node';
import { expect, test } from 'vitest';
import { openModelFile } from '../../../server/src/files/modelFile';
import { editModel, type EditRequest } from '../../../server/src/onnx/editModel';
import type { Model } from '../../../server/src/onnx/graph';
import { describeShared } from '../../shared';

/** The part of models.json that says what each model was fed. */
interface KnownModel {
  readonly file: string;
  readonly onnxruntime_node_1_30?: {
    readonly loads_and_runs: boolean;
    readonly fed: Readonly<Record<string, string>> | null;
  };
}

type Typed = Float32Array | Uint16Array | Int32Array | BigInt64Array | Uint8Array;

/** Values that fill a tensor without all being alike; small integers where indices are wanted. */
function values(dtype: string, count: number, name: string): Typed {
  switch (dtype) {
    case 'float32':
      return Float32Array.from({ length: count }, (_, index) => Math.sin(0.37 * index + 1));
    case 'float16':
      return Uint16Array.from({ length: count }, (_, index) => 0x3800 + ((index * 37) % 1024));
    case 'int32':
      // loop counts and lengths must stay small, a cache indirection must name a beam
      return Int32Array.from({ length: count }, () => (name === 'cache_indir' ? 0 : 1));
    case 'int64':
      return BigInt64Array.from({ length: count }, () => (name === 'sr' ? 16000n : 2n));
    case 'bool':
      return Uint8Array.from({ length: count }, () => 1);
    default:
      throw new Error(`no values for ${dtype}`);
  }
}

function feedsOf(fed: Readonly<Record<string, string>>): Record<string, ort.Tensor> {
  const feeds: Record<string, ort.Tensor> = {};
  for (const [name, type] of Object.entries(fed)) {
    const [, dtype = '', dims = ''] = /^(\w+)\[(.*)\]$/.exec(type) ?? [];
    const shape = dims === '' ? [] : dims.split(',').map(Number);
    const count = shape.reduce((product, size) => product * size, 1);
    feeds[name] = tensor(values(dtype, count, name), shape);
  }
  return feeds;
}

function tensor(data: Typed, shape: number[]): ort.Tensor {
  if (data instanceof Uint16Array) return new ort.Tensor('float16', data, shape);
  if (data instanceof Uint8Array) return new ort.Tensor('bool', data, shape);
  if (data instanceof Int32Array) return new ort.Tensor('int32', data, shape);
  if (data instanceof BigInt64Array) return new ort.Tensor('int64', data, shape);
  return new ort.Tensor('float32', data, shape);
}

async function run(
  session: ort.InferenceSession,
  feeds: Readonly<Record<string, ort.Tensor>>,
  outputs: readonly string[],
): Promise<ReadonlyMap<string, Uint8Array>> {
  const used = session.inputNames.filter(name => name in feeds);
  const picked = Object.fromEntries(Object.entries(feeds).filter(([name]) => used.includes(name)));
  const results = await session.run(picked, [...outputs]);
  await session.release();
  return new Map(
    outputs.map(name => {
      const data = results[name]?.data;
      if (!ArrayBuffer.isView(data)) throw new Error(`no numbers for ${name}`);
      return [name, new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice()];
    }),
  );
}

/** Every eighth tensor that a node of the main graph gives, up to five, containers left out. */
function intermediates(model: Model): string[] {
  const { graph } = model;
  const own = new Set(graph.outputs.map(({ name }) => name));
  const names = graph.nodes
    .filter(node => node.op !== 'ZipMap')
    .flatMap(node => node.outputs.slice(0, 1))
    .filter(name => name !== '' && !own.has(name));
  const step = Math.max(1, Math.floor(names.length / 5));
  return names.filter((_, index) => index % step === 0).slice(0, 5);
}

function expectSame(
  got: ReadonlyMap<string, Uint8Array>,
  expected: ReadonlyMap<string, Uint8Array>,
): void {
  const compared = [...expected].filter(([name]) => got.has(name));
  expect(compared.length).toBeGreaterThan(0);
  for (const [name, bytes] of compared)
    expect([name, Buffer.compare(got.get(name) ?? Buffer.of(), bytes)]).toEqual([name, 0]);
}

/**
 * The original bytes with these tensors declared as outputs: protobuf merges a second GraphProto into the first, so the model is as its
 * authors wrote it, weights included.
 */
function declared(original: Uint8Array, outputs: readonly string[]): Uint8Array {
  const field = (tag: number, content: Buffer): Buffer => {
    const size: number[] = [];
    let rest = content.length;
    for (; rest > 127; rest >>>= 7) size.push((rest & 127) | 128);
    return Buffer.concat([Buffer.of(tag, ...size, rest), content]);
  };
  const values = outputs.map(name => field(0x62, field(0x0a, Buffer.from(name))));
  return Buffer.concat([original, field(0x3a, Buffer.concat(values))]);
}

const create = (bytes: Uint8Array, folder: string): Promise<ort.InferenceSession> =>
  ort.InferenceSession.create(bytes, {
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
    intraOpNumThreads: 1,
    extra: { session: { model_external_initializers_file_folder_path: folder } },
  });

describeShared('edited models give what the originals give', dir => {
  const known: readonly KnownModel[] = JSON.parse(
    fs.readFileSync(path.join(dir, 'models', 'models.json'), 'utf8'),
  );
  const runnable = known.filter(
    ({ file, onnxruntime_node_1_30: fact }) => fact?.loads_and_runs && file.endsWith('.onnx'),
  );
  test('there are models to compare', () => expect(runnable.length).toBeGreaterThan(30));

  test.each(runnable)('$file', async ({ file, onnxruntime_node_1_30: fact }) => {
    const folder = path.join(dir, 'models');
    const modelPath = path.join(folder, file);
    const feeds = feedsOf(fact?.fed ?? {});
    const opened = openModelFile(modelPath);
    try {
      const { model, external } = opened;
      const outputs = intermediates(model);
      const names = [...new Set([...model.graph.outputs.map(({ name }) => name), ...outputs])];
      const edit = (request: EditRequest): Uint8Array => editModel(model, request, external).bytes;
      // external files of the model itself are found from its path, those of bytes not before shapes are inferred
      const hasExternal = opened.files.length > 1;
      const original = declared(fs.readFileSync(modelPath), hasExternal ? [] : outputs);
      const reference = hasExternal
        ? await ort.InferenceSession.create(modelPath, { graphOptimizationLevel: 'all' })
        : await create(original, folder);
      const expected = await run(reference, feeds, hasExternal ? reference.outputNames : names);
      for (const truncate of [false, true]) {
        const bytes = edit({ outputs, keepOriginalOutputs: true, truncate });
        const session = await create(bytes, folder);
        expect(session.outputNames).toEqual(names);
        expectSame(await run(session, feeds, names), expected);
      }
      if (outputs.length === 0) return;
      const alone = edit({
        outputs: outputs.slice(0, 1),
        keepOriginalOutputs: false,
        truncate: true,
      });
      const whole = edit({
        outputs: outputs.slice(0, 1),
        keepOriginalOutputs: false,
        truncate: false,
      });
      const results = [];
      for (const bytes of [alone, whole])
        results.push(await run(await create(bytes, folder), feeds, outputs.slice(0, 1)));
      const [short, long] = results;
      if (short && long) expectSame(short, long);
    } finally {
      opened.dispose();
    }
  });
});
