import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { UserError } from '../../protocol/errors';
import { openModelFile } from '../../server/src/files/modelFile';
import { describeConstant, resolveConstant } from '../../server/src/onnx/constants';
import { editModel } from '../../server/src/onnx/editModel';
import type { ByteSource, ExternalData, Model } from '../../server/src/onnx/graph';
import { inlineFunctions } from '../../server/src/onnx/inlineFunctions';
import { readModel } from '../../server/src/onnx/readModel';
import { readTensor } from '../../server/src/onnx/readTensor';
import { sharedDir } from '../shared';
import { mutate, seeded } from './seeded';

/** More mutants for a long run: `FUZZ_ROUNDS=1000 npx vitest run test/fuzz/onnxReader.test.ts`. */
const ROUNDS = Number(process.env['FUZZ_ROUNDS'] ?? 30);
const LONGEST_MS = 5000;
const MOST_BYTES = 1_500_000_000;
const MAX_TENSORS = 60;

const fixtures = path.resolve(import.meta.dirname, '../fixtures/onnx');
const SHARED = [
  'burn_nested_if_loop_if_scan.onnx',
  'lr_mnist_scikit.onnx',
  'mnist_cntk_opset8.onnx',
  'ort_conv_int4_weights_qdq.onnx',
  'ort_conv_qdq_external_ini.onnx',
  'ort_sparse_initializer.onnx',
  'resnet18_dynamo.onnx',
  'light_densenet121.onnx',
];
const seeds = [
  ...fs
    .readdirSync(fixtures)
    .filter(name => name.endsWith('.onnx'))
    .map(name => path.join(fixtures, name)),
  ...(sharedDir ? SHARED.map(name => path.join(sharedDir ?? '', 'models', name)) : []),
];

/** Makes a random byte a length far beyond the file, as a damaged or hostile one may say. */
function inflate(bytes: Uint8Array, random: () => number): Buffer {
  const at = Math.floor(random() * bytes.length);
  const length = [0xff, 0xff, 0xff, 0xff, random() < 0.5 ? 0x07 : 0x7f];
  return Buffer.concat([bytes.subarray(0, at), Buffer.from(length), bytes.subarray(at + 1)]);
}

/** Puts a part of one model into another. */
function splice(bytes: Uint8Array, other: Uint8Array, random: () => number): Buffer {
  const from = Math.floor(random() * other.length);
  const part = other.subarray(from, from + Math.floor(random() * 2000));
  const at = Math.floor(random() * bytes.length);
  return Buffer.concat([bytes.subarray(0, at), part, bytes.subarray(at)]);
}

/** What only a UserError may come out of. */
function guarded(action: () => unknown): void {
  try {
    action();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    expect(error.message.length).toBeLessThan(2000);
  }
}

class Bytes implements ByteSource {
  readonly name = 'mutant.onnx';
  constructor(private readonly content: Uint8Array) {}
  get size(): number {
    return this.content.length;
  }
  read(offset: number, length: number): Uint8Array {
    if (!(offset >= 0 && length >= 0 && offset + length <= this.size))
      throw new Error(`read of ${length} bytes at ${offset} of ${this.size}`);
    return this.content.subarray(offset, offset + length);
  }
}

/** Everything that is done with a model that was read. */
function use(model: Model, external: ExternalData): void {
  const read = (ref: Parameters<typeof readTensor>[1]): ReturnType<typeof readTensor> =>
    readTensor(model, ref, external);
  for (const ref of [...model.graph.initializers.values()].slice(0, MAX_TENSORS))
    guarded(() => read(ref));
  const inlined = inlineFunctions(model);
  for (const node of inlined.graph.nodes.slice(0, MAX_TENSORS)) {
    const name = node.inputs[1] ?? node.outputs[0] ?? '';
    describeConstant(inlined, inlined.graph, name);
    guarded(() => resolveConstant(inlined, inlined.graph, name, read));
  }
  const middle = inlined.graph.nodes[inlined.graph.nodes.length >> 1]?.outputs[0];
  const outputs = middle ? [middle] : [];
  for (const truncate of [false, true])
    guarded(() =>
      editModel(inlined, { outputs, keepOriginalOutputs: !truncate, truncate }, external),
    );
}

describe('damaged models', () => {
  let folder = '';
  beforeAll(() => {
    folder = fs.mkdtempSync(path.join(fs.realpathSync(os.tmpdir()), 'layer-lens-fuzz-'));
    fs.copyFileSync(path.join(fixtures, 'external.bin'), path.join(folder, 'external.bin'));
  });
  afterAll(() => {
    vi.restoreAllMocks();
    fs.rmSync(folder, { recursive: true });
  });

  test.each(seeds.map(file => [path.basename(file), file] as const))(
    '%s is read as far as it goes, or refused with one sentence',
    (name, file) => {
      const bytes = fs.readFileSync(file);
      const other = fs.readFileSync(path.join(fixtures, 'constants.onnx'));
      const random = seeded(Buffer.from(name).reduce((sum, byte) => sum * 31 + byte, 7));
      const mutant = path.join(folder, 'mutant.onnx');
      const opened = vi.spyOn(fs, 'openSync');
      // each mutant of this one grows to the largest model that is inlined
      const rounds = name === 'exploding.onnx' ? Math.ceil(ROUNDS / 10) : ROUNDS;
      for (let round = 0; round < rounds; round++) {
        const kind = random();
        const damaged =
          kind < 0.6
            ? mutate(bytes, random)
            : kind < 0.8
              ? inflate(bytes, random)
              : splice(bytes, other, random);
        fs.writeFileSync(mutant, damaged);
        opened.mockClear();
        const started = process.cpuUsage();
        use(readModel(new Bytes(damaged)), () => new Bytes(Buffer.alloc(64)));
        guarded(() => {
          const model = openModelFile(mutant);
          try {
            use(model.model, model.external);
          } finally {
            model.dispose();
          }
        });
        // processor time: the clock depends on what else the machine does
        expect(process.cpuUsage(started).user / 1000).toBeLessThan(LONGEST_MS);
        expect(process.memoryUsage().rss).toBeLessThan(MOST_BYTES);
        for (const [target] of opened.mock.calls) expect(path.dirname(String(target))).toBe(folder);
      }
    },
    600_000,
  );
});
