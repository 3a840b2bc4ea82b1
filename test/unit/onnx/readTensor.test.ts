import { describe, expect, test } from 'vitest';
import type { TensorRef } from '../../../server/src/onnx/graph';
import {
  floatFromHalf,
  halfFromFloat,
  toFloat32,
  toFloat64,
  toNumbers,
} from '../../../server/src/onnx/numbers';
import { readModel } from '../../../server/src/onnx/readModel';
import { readTensor } from '../../../server/src/onnx/readTensor';
import {
  expectedOf,
  fixturePath,
  MemorySource,
  numbersOf,
  withModel,
  type ExpectedValues,
} from './fixtures';

interface ExpectedTensor extends ExpectedValues {
  readonly dtype: string;
}

describe('readTensor', () => {
  test('gives every type, raw and typed, as onnx.numpy_helper does', async () => {
    const expected = expectedOf<ExpectedTensor>('types.json');
    await withModel(fixturePath('types.onnx'), ({ model }, read) => {
      expect(expected.size).toBe(50);
      for (const [name, { dtype, shape, values }] of expected) {
        const ref = model.graph.initializers.get(name);
        if (!ref) throw new Error(`${name} is not there`);
        expect(ref.location.kind).toBe(name.startsWith('raw') ? 'raw' : 'typed');
        const tensor = read(ref);
        expect({ name, dtype: tensor.dtype, shape: tensor.shape }).toEqual({ name, dtype, shape });
        if (tensor.data instanceof BigInt64Array || tensor.data instanceof BigUint64Array)
          expect(Array.from(tensor.data, String)).toEqual(values.map(String));
        else expect([name, Array.from(toFloat64(tensor))]).toEqual([name, numbersOf(values)]);
        expect([name, toFloat32(tensor)]).toEqual([
          name,
          tensor.data instanceof BigInt64Array || tensor.data instanceof BigUint64Array
            ? Float32Array.from(tensor.data, Number)
            : Float32Array.from(numbersOf(values)),
        ]);
      }
    });
  });

  test('gives texts and empty tensors', async () => {
    await withModel(fixturePath('types.onnx'), ({ model }, read) => {
      const texts = model.graph.initializers.get('typed_string');
      const empty = model.graph.initializers.get('empty');
      if (!texts || !empty) throw new Error('a tensor is not there');
      expect(read(texts).data).toEqual(['a', 'ü', '']);
      expect(() => toFloat32(read(texts))).toThrow('no numbers');
      expect(read(empty)).toEqual({ dtype: 'float32', shape: [0, 3], data: new Float32Array(0) });
    });
  });

  test('fills sparse tensors, indexed flat and by row and column', async () => {
    await withModel(fixturePath('sparse.onnx'), ({ model }, read) => {
      const { initializers } = model.graph;
      const values = [...initializers.values()].map(ref => [
        ref.name,
        ref.shape,
        toNumbers(read(ref)),
      ]);
      expect(values).toEqual([
        ['flat', [2, 4], [1.5, 0, 0, -2, 0, 0, 0, 3]],
        ['rows', [2, 4], [0, 4, 0, 0, 0, 0, 0, 5]],
      ]);
    });
  });

  const source = new MemorySource(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
  const model = readModel(source);
  const none = (): never => {
    throw new Error('no external file is asked for');
  };
  const made = (part: Partial<TensorRef>): TensorRef => ({
    name: 'w',
    dtype: 'float32',
    shape: [2],
    location: { kind: 'raw', offset: 0, length: 8 },
    span: null,
    ...part,
  });
  const read = (part: Partial<TensorRef>): unknown => readTensor(model, made(part), none).data;

  test.each([
    [{ shape: [3] }, '"w" has 8 bytes where its type float32 and shape [3] need 12'],
    [{ location: { kind: 'raw', offset: 0, length: 0 } }, 'has no bytes in model.onnx'],
    [{ shape: [-1] }, 'impossible shape'],
    [{ shape: [2 ** 40, 2 ** 40] }, 'impossible shape'],
    [{ dtype: 'undefined' }, 'type of the tensor "w" is not known'],
    [{ location: { kind: 'typed', offset: 0, length: 8 } }, 'do not fit its type'],
    [
      { shape: [2 ** 33], location: { kind: 'typed', offset: 0, length: 8 } },
      'do not fit its type',
    ],
    [{ dtype: 'string', shape: [1] }, 'does not store its texts'],
    [
      {
        shape: [2 ** 20, 2 ** 20],
        location: {
          kind: 'sparse',
          values: made({ shape: [1], location: { kind: 'raw', offset: 0, length: 4 } }),
          indices: made({ dtype: 'int64', shape: [1] }),
        },
      },
      'at most',
    ],
    [
      {
        location: {
          kind: 'sparse',
          values: made({ shape: [1], location: { kind: 'raw', offset: 0, length: 4 } }),
          indices: made({ dtype: 'int64', shape: [1] }),
        },
      },
      'indices of the sparse tensor "w" do not fit',
    ],
  ] satisfies [Partial<TensorRef>, string][])('refuses %j', (part, message) => {
    expect(() => read(part)).toThrow(message);
  });

  test('does not need aligned bytes', () => {
    const location = { kind: 'raw', offset: 1, length: 4 } as const;
    expect(read({ dtype: 'uint32', shape: [1], location })).toEqual(Uint32Array.of(0x05040302));
  });
});

describe('halves', () => {
  test('every half survives the way to a float and back', () => {
    for (let bits = 0; bits < 0x10000; bits++) {
      const value = floatFromHalf(bits);
      if (!Number.isNaN(value)) expect(halfFromFloat(value)).toBe(bits);
    }
  });

  test('rounds to nearest, ties to even', () => {
    // 1 + 2^-11 lies between 1 (even) and the next half; 1 + 3·2^-11 between that and the one after (even)
    expect(halfFromFloat(1 + 2 ** -11)).toBe(0x3c00);
    expect(halfFromFloat(1 + 3 * 2 ** -11)).toBe(0x3c02);
    expect(halfFromFloat(1 + 2 ** -11 + 2 ** -20)).toBe(0x3c01);
    expect(halfFromFloat(65520)).toBe(0x7c00);
    expect(halfFromFloat(65519)).toBe(0x7bff);
    expect(halfFromFloat(2 ** -25)).toBe(0);
    expect(halfFromFloat(1.5 * 2 ** -25)).toBe(1);
    expect(halfFromFloat(-1e9)).toBe(0xfc00);
    expect(halfFromFloat(NaN)).toBe(0x7e00);
  });
});
