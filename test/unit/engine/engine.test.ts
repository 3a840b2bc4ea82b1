import {
  closeSync,
  copyFileSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ModelFeeds, TensorResult } from '../../../protocol/methods';
import { UserError } from '../../../protocol/errors';
import type { CallOptions } from '../../../protocol/rpc';
import { EngineHost, type EngineCrash } from '../../../server/src/engine/engineHost';
import { writeNpy } from '../../../server/src/image/npy';
import { floatFromHalf } from '../../../server/src/onnx/numbers';
import type { Tensor } from '../../../server/src/onnx/tensor';
import { describeShared } from '../../shared';
import { bundleEngine, type EngineBundle } from './bundle';

const fixtures = path.resolve(import.meta.dirname, '../../fixtures/engine');
const settings = { threads: 1, sessionCacheBytes: 2 ** 28, activationCacheBytes: 2 ** 27 };

let bundle: EngineBundle;
let host: EngineHost;
let crashes: EngineCrash[];
let folder: string;

beforeAll(async () => {
  bundle = await bundleEngine('server/src/engine/main.ts');
});
afterAll(() => bundle.dispose());
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'layer-lens-'));
  host = new EngineHost({ enginePath: bundle.enginePath, settings, memoryLimitBytes: 0 });
  crashes = [];
  host.onCrash(crash => crashes.push(crash));
});
afterEach(() => {
  host.dispose();
  rmSync(folder, { recursive: true });
});

/** A copy of a fixture that the test may change. */
function copied(file: string): string {
  const target = path.join(folder, file);
  copyFileSync(path.join(fixtures, file), target);
  return target;
}

function array(name: string, tensor: Tensor): { kind: 'array'; path: string } {
  const file = path.join(folder, `${name}.npy`);
  writeFileSync(file, writeNpy(tensor).bytes);
  return { kind: 'array', path: file };
}

const run = (model: string, feeds: ModelFeeds, tensors: readonly string[], options?: CallOptions) =>
  host.call('tensors', { model, feeds, tensors }, options);

const floats = ({ bytes }: TensorResult): Float32Array =>
  new Float32Array(bytes.slice().buffer, 0, bytes.byteLength / 4);

const failure = async (call: Promise<unknown>): Promise<UserError> => {
  const error: unknown = await call.then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (error instanceof UserError) return error;
  throw new Error(`expected a UserError, got ${String(error)}`);
};

const sleep = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms));

const never = (): never => {
  throw new Error('the engine gave no tensor');
};

describe('feeds', () => {
  const image: Tensor = {
    dtype: 'float64',
    shape: [2, 3, 1, 2],
    data: Float64Array.from({ length: 12 }, (_, index) => index - 6),
  };

  it('casts arrays, takes sizes from them, and states what was not chosen', async () => {
    const model = path.join(fixtures, 'twoInputs.onnx');
    const { tensors, warnings } = await run(model, { image: array('image', image) }, ['positive']);
    expect(tensors[0]?.shape).toEqual([2, 3, 1, 2]);
    expect([...floats(tensors[0] ?? never())]).toEqual([0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5]);
    expect(warnings).toEqual([
      'image.npy holds float64 and was fed as float32.',
      'The input "pad_mask" was not chosen: zeros of shape [2, 1, 1, 2] were fed.',
    ]);
  });

  it('refuses an array of another shape, an unknown input and an unknown tensor', async () => {
    const model = path.join(fixtures, 'twoInputs.onnx');
    const flat = array('flat', { ...image, shape: [12] });
    expect(await failure(run(model, { image: flat }, ['sum']))).toMatchObject({
      code: 'wrongShape',
      message:
        'flat.npy gives a tensor of shape [12], but the input "image" takes [batch, 3, rows, columns].',
    });
    expect(await failure(run(model, { picture: flat }, ['sum']))).toMatchObject({
      code: 'usage',
      message: 'twoInputs.onnx has no input "picture"; its inputs are "image", "pad_mask".',
    });
    expect((await failure(run(model, {}, ['nothing']))).code).toBe('tensorNotFound');
  });

  it('gives inputs back, and refuses sequences instead of failing in the runtime', async () => {
    const model = path.join(fixtures, 'twoInputs.onnx');
    const { tensors } = await run(model, {}, ['pad_mask', 'sum']);
    expect(tensors.map(({ dtype }) => dtype)).toEqual(['bool', 'float32']);
    expect((await failure(run(model, {}, ['parts']))).code).toBe('unsupported');
  });
});

describe('a native run that does not end', () => {
  const endless = (): { model: string; feeds: ModelFeeds } => ({
    model: path.join(fixtures, 'slowLoop.onnx'),
    feeds: {
      turns: array('turns', { dtype: 'int64', shape: [], data: BigInt64Array.of(10n ** 12n) }),
    },
  });

  it('is ended by cancelling, and is no crash', async () => {
    const { model, feeds } = endless();
    await run(model, {}, ['end']);
    const controller = new AbortController();
    const running = failure(run(model, feeds, ['end'], { signal: controller.signal }));
    await sleep(300);
    const pid = host.pid;
    const started = Date.now();
    controller.abort();
    expect((await running).code).toBe('cancelled');
    expect((await run(model, {}, ['end'])).tensors[0]?.shape).toEqual([64, 64]);
    expect(Date.now() - started).toBeLessThan(10_000);
    expect(host.pid).not.toBe(pid);
    expect(crashes).toEqual([]);
  });

  it('costs one request when the process is killed', async () => {
    const { model, feeds } = endless();
    await run(model, {}, ['end']);
    const running = failure(run(model, feeds, ['end']));
    await sleep(300);
    process.kill(host.pid ?? never(), 'SIGKILL');
    expect((await running).message).toBe(
      'The engine stopped while computing tensors of slowLoop.onnx; the next request starts it again.',
    );
    expect((await run(model, {}, ['end'])).tensors).toHaveLength(1);
    expect(crashes).toHaveLength(1);
  });
});

describe('files that change', () => {
  const ones = () => ({
    x: array('x', { dtype: 'float32', shape: [1, 512], data: new Float32Array(512).fill(1) }),
  });

  it('runs with the weights that the file has now', async () => {
    const model = copied('weights.onnx');
    const before = await run(model, ones(), ['y']);
    expect([...floats(before.tensors[0] ?? never())].slice(0, 4)).toEqual([-3, -2, -1, 0]);
    const first = Buffer.from(Float32Array.of(-3, -2, -1, 0).buffer);
    const offset = readFileSync(model).indexOf(first);
    const file = openSync(model, 'r+');
    writeSync(file, Buffer.from(Float32Array.of(40).buffer), 0, 4, offset);
    closeSync(file);
    const after = await run(model, ones(), ['y']);
    expect([...floats(after.tensors[0] ?? never())].slice(0, 4)).toEqual([40, -2, -1, 0]);
    expect((await host.call('status', null)).sessions).toBe(1);
  });

  it('does not let the runtime map weights beyond the end of their file', async () => {
    const model = copied('outside.onnx');
    const weights = copied('outside.bin');
    const { tensors } = await run(model, ones(), ['y']);
    expect(floats(tensors[0] ?? never())[2]).toBe(-1);
    truncateSync(weights, 1000);
    expect(await failure(run(model, ones(), ['y']))).toMatchObject({
      code: 'brokenModel',
      message:
        'outside.bin, which holds weights of outside.onnx, is still being written or truncated: "w" ends at byte 2048 of 1000.',
    });
    rmSync(weights);
    expect((await failure(run(model, ones(), ['y']))).code).toBe('missingExternalData');
    copied('outside.bin');
    expect((await run(model, ones(), ['y'])).tensors).toHaveLength(1);
    expect(crashes).toEqual([]);
  });

  it('runs a model that is a link into another folder', async () => {
    const link = path.join(folder, 'linked.onnx');
    symlinkSync(path.join(fixtures, 'weights.onnx'), link);
    const { tensors } = await run(link, ones(), ['y']);
    expect([...floats(tensors[0] ?? never())].slice(0, 4)).toEqual([-3, -2, -1, 0]);
  });

  it('forgets a model that is released', async () => {
    const model = path.join(fixtures, 'weights.onnx');
    await run(model, {}, ['y']);
    expect(await host.call('status', null)).toMatchObject({ sessions: 1, activationBytes: 2048 });
    await host.call('release', { model });
    expect(await host.call('status', null)).toMatchObject({
      sessions: 0,
      sessionBytes: 0,
      activationBytes: 0,
    });
  });
});

describeShared('real models', shared => {
  const squeezenet = path.join(shared, 'models/squeezenet_fp16.onnx');

  it('looks the next layer up after the first', async () => {
    const maps = (layer: string) =>
      host.call('activationHeatmap', { model: squeezenet, feeds: {}, layer });
    const first = await maps('Conv_0');
    const second = await maps('Conv_3');
    expect(first.times.forwardMs).toBeGreaterThan(0);
    expect(second.times).toMatchObject({ loadMs: 0, forwardMs: 0 });
  });

  it('gives the same numbers whatever was asked before', async () => {
    const ask = async (): Promise<TensorResult> => {
      const { tensors } = await run(squeezenet, {}, ['fire5/concat_1']);
      return tensors[0] ?? never();
    };
    const before = await ask();
    await host.call('release', { model: squeezenet });
    await host.call('activationHeatmap', { model: squeezenet, feeds: {}, layer: 'Conv_0' });
    expect((await ask()).bytes).toEqual(before.bytes);
  });

  const node24 = process.env['LAYER_LENS_NODE24'];
  it.each([process.execPath, ...(node24 === undefined ? [] : [node24])])(
    'feeds float16 in %s',
    async execPath => {
      const file = path.join(folder, 'fed.npy');
      const data = new Uint16Array(3 * 224 * 224).fill(0x4000);
      const fed: Tensor = { dtype: 'float16', shape: [1, 3, 224, 224], data };
      writeFileSync(file, writeNpy(fed).bytes);
      const feeds: ModelFeeds = { data_0: { kind: 'array', path: file } };
      host.dispose();
      const { enginePath } = bundle;
      host = new EngineHost({ enginePath, execPath, settings, memoryLimitBytes: 0 });
      const { tensors } = await run(squeezenet, feeds, ['softmaxout_1']);
      const { dtype, bytes } = tensors[0] ?? never();
      const scores = Array.from(new Uint16Array(bytes.slice().buffer), floatFromHalf);
      // onnxruntime 1.32 for Python, the same picture of twos: class 111 with 0.1465.
      expect(dtype).toBe('float16');
      expect(scores.indexOf(Math.max(...scores))).toBe(111);
      expect(scores[111]).toBeCloseTo(0.1465, 3);
    },
  );
});
