import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { UserError } from '../../../protocol/errors';
import { isFetchable, openSession } from '../../../server/src/engine/runtime';
import type { Tensor } from '../../../server/src/onnx/tensor';

const folder = path.resolve(import.meta.dirname, '../../fixtures/engine');

const open = (file: string) =>
  openSession({
    bytes: readFileSync(path.join(folder, file)),
    folder,
    label: file,
    threads: 1,
  });

const x: Tensor = { dtype: 'float32', shape: [1, 4], data: new Float32Array(4) };

async function refusal(file: string, feed: Tensor = x): Promise<string> {
  try {
    const session = await open(file);
    await session.run(new Map([['x', feed]]), ['y']);
  } catch (error) {
    if (error instanceof UserError) return `${error.code}: ${error.message}`;
    throw error;
  }
  throw new Error(`${file} was run`);
}

describe('refusals of ONNX Runtime as one sentence', () => {
  it.each([
    [
      'unknownOperator.onnx',
      'runtimeRefused: ONNX Runtime cannot run unknownOperator.onnx: it has no operator "Bogus".',
    ],
    [
      'customOperator.onnx',
      'runtimeRefused: ONNX Runtime cannot run customOperator.onnx: it has no operator "com.acme:Foo".',
    ],
    [
      'noKernel.onnx',
      'runtimeRefused: ONNX Runtime cannot run noKernel.onnx: it cannot compute the operator "Relu" of the node "relu" with these types.',
    ],
    [
      'failingNode.onnx',
      'runtimeRefused: ONNX Runtime cannot run failingNode.onnx: the Reshape node "block/Reshape" failed with "input_shape_size == requested_shape_size was false. The input tensor cannot be reshaped to the requested shape. Input shape:{1,4}, requested shape:{3,5}".',
    ],
    [
      'hugeBuffer.onnx',
      'outOfMemory: There is not enough memory for a buffer of 15258789 MB that hugeBuffer.onnx needs; use a smaller input.',
    ],
  ])('%s', async (file, sentence) => {
    expect(await refusal(file)).toBe(sentence);
  });

  it('names the axis of a wrong shape', async () => {
    const feed: Tensor = { dtype: 'float32', shape: [1, 5], data: new Float32Array(5) };
    expect(await refusal('failingNode.onnx', feed)).toBe(
      'wrongShape: The input "x" of failingNode.onnx has the wrong shape: axis 1 is 5, not 4.',
    );
  });

  it('names a wrong rank', async () => {
    const feed: Tensor = { dtype: 'float32', shape: [4], data: new Float32Array(4) };
    expect(await refusal('failingNode.onnx', feed)).toBe(
      'wrongShape: The input "x" of failingNode.onnx has 1 dimensions, not 2.',
    );
  });

  it('names a wrong type', async () => {
    const feed: Tensor = { dtype: 'float64', shape: [1, 4], data: new Float64Array(4) };
    expect(await refusal('failingNode.onnx', feed)).toBe(
      'badArray: An input of failingNode.onnx was fed as tensor(double), but the model takes tensor(float).',
    );
  });
});

describe('element types', () => {
  const samples: readonly Tensor[] = [
    { dtype: 'float32', shape: [3], data: Float32Array.of(0.5, -1, NaN) },
    { dtype: 'float64', shape: [3], data: Float64Array.of(1e300, -0.1, Infinity) },
    { dtype: 'float16', shape: [3], data: Uint16Array.of(0x3c00, 0xfbff, 0x0001) },
    { dtype: 'int8', shape: [3], data: Int8Array.of(-128, 0, 127) },
    { dtype: 'int16', shape: [3], data: Int16Array.of(-32768, 0, 32767) },
    { dtype: 'int32', shape: [3], data: Int32Array.of(-(2 ** 31), 0, 2 ** 31 - 1) },
    { dtype: 'int64', shape: [3], data: BigInt64Array.of(-(2n ** 63n), 0n, 2n ** 63n - 1n) },
    { dtype: 'uint8', shape: [3], data: Uint8Array.of(0, 1, 255) },
    { dtype: 'uint16', shape: [3], data: Uint16Array.of(0, 1, 65535) },
    { dtype: 'uint32', shape: [3], data: Uint32Array.of(0, 1, 2 ** 32 - 1) },
    { dtype: 'uint64', shape: [3], data: BigUint64Array.of(0n, 1n, 2n ** 64n - 1n) },
    { dtype: 'bool', shape: [3], data: Uint8Array.of(0, 1, 1) },
    { dtype: 'string', shape: [3], data: ['', 'cat', 'größer'] },
  ];

  it('go in and come out as they are, and outlive the session', async () => {
    const session = await open('elementTypes.onnx');
    const feeds = new Map(samples.map(sample => [`in_${sample.dtype}`, sample]));
    const outputs = samples.map(({ dtype }) => `out_${dtype}`);
    const results = await session.run(feeds, outputs);
    session.dispose();
    for (const sample of samples) expect(results.get(`out_${sample.dtype}`)).toEqual(sample);
  });

  it('that the binding does not know are not fetched', () => {
    expect(isFetchable('bfloat16')).toBe(false);
    expect(isFetchable('float8e4m3fn')).toBe(false);
    expect(isFetchable('int4')).toBe(false);
    expect(samples.every(({ dtype }) => isFetchable(dtype))).toBe(true);
  });
});
