import { describe, expect, it } from 'vitest';
import type { DataType, Dimension } from '../../../protocol/model';
import { castArray } from '../../../server/src/engine/castArray';
import { defaultFeed, type Sizes } from '../../../server/src/engine/defaultFeed';

describe('castArray', () => {
  const doubles = (...values: number[]) => ({
    dtype: 'float64' as const,
    shape: [values.length],
    data: Float64Array.from(values),
  });
  const cast = (values: number[], dtype: DataType) =>
    castArray(doubles(...values), dtype, 'a.npy', 'x').data;

  it('rounds floats to the nearest', () => {
    expect(cast([0.1, -2.5], 'float32')).toEqual(Float32Array.of(0.1, -2.5));
    // numpy: np.float16([1, -2, 65504, 0.1]).view(np.uint16)
    expect(cast([1, -2, 65504, 0.1], 'float16')).toEqual(
      Uint16Array.of(0x3c00, 0xc000, 0x7bff, 0x2e66),
    );
  });

  it('puts whole numbers in their range into integer types', () => {
    expect(cast([0, 255], 'uint8')).toEqual(Uint8Array.of(0, 255));
    expect(cast([-128, 127], 'int8')).toEqual(Int8Array.of(-128, 127));
    expect(cast([-5, 2 ** 40], 'int64')).toEqual(BigInt64Array.of(-5n, 2n ** 40n));
    expect(cast([0, 1], 'bool')).toEqual(Uint8Array.of(0, 1));
  });

  it('widens integers', () => {
    const bytes = { dtype: 'uint8' as const, shape: [2], data: Uint8Array.of(7, 255) };
    expect(castArray(bytes, 'float32', 'a.npy', 'x').data).toEqual(Float32Array.of(7, 255));
    const longs = { dtype: 'int64' as const, shape: [1], data: BigInt64Array.of(-9n) };
    expect(castArray(longs, 'int32', 'a.npy', 'x').data).toEqual(Int32Array.of(-9));
  });

  it.each([
    [[0.5], 'int32', '0.5'],
    [[256], 'uint8', '256'],
    [[-1], 'uint64', '-1'],
    [[2], 'bool', '2'],
    [[NaN], 'int64', 'NaN'],
  ] as const)('refuses %j as %s', (values, dtype, said) => {
    expect(() => cast([...values], dtype)).toThrow(
      `a.npy holds float64, but the input "x" takes ${dtype}, which cannot hold ${said}.`,
    );
  });
});

describe('defaultFeed', () => {
  const feed = (
    name: string,
    dtype: DataType,
    shape: readonly Dimension[] | null,
    sizes: Sizes = new Map(),
  ) => {
    const { tensor, warning } = defaultFeed({ name, dtype, shape }, sizes, 'm.onnx');
    return { shape: tensor.shape, data: tensor.data, warning };
  };

  it('feeds zeros to masks of floats and to states, and says so', () => {
    const { data, warning } = feed('input_mask', 'float32', [1, 2]);
    expect(data).toEqual(new Float32Array(2));
    expect(warning).toBe('The input "input_mask" was not chosen: zeros of shape [1, 2] were fed.');
    expect(feed('state', 'float16', [2]).data).toEqual(new Uint16Array(2));
    expect(feed('tokens', 'int64', [2]).data).toEqual(new BigInt64Array(2));
  });

  it('feeds ones to integer masks and to lengths', () => {
    expect(feed('attention_mask', 'int64', [2]).data).toEqual(BigInt64Array.of(1n, 1n));
    expect(feed('x_lengths', 'int32', [1]).data).toEqual(Int32Array.of(1));
    expect(feed('attention_mask', 'int32', [1]).warning).toContain('ones of shape [1]');
  });

  it('takes the sizes that names have elsewhere, and gives them on', () => {
    const sizes: Sizes = new Map([['rows', 48]]);
    expect(feed('mask', 'float32', ['batch', 'rows', 'tokens'], sizes).shape).toEqual([1, 48, 1]);
    expect(sizes.get('tokens')).toBe(1);
  });

  it('opens pictures at 224 and a past at nothing', () => {
    expect(feed('x', 'float32', ['n', 3, 'h', 'w']).shape).toEqual([1, 3, 224, 224]);
    expect(feed('x', 'float32', [null, null, null, 3]).shape).toEqual([1, 224, 224, 3]);
    expect(feed('past_0', 'float32', [2, 'b', 4, 'past_seq_len', 8]).shape).toEqual([
      2, 1, 4, 0, 8,
    ]);
  });

  it('refuses what cannot be fed', () => {
    expect(() => feed('x', 'bfloat16', [1])).toThrow(
      'The input "x" of m.onnx is of type bfloat16, which cannot be fed here.',
    );
    expect(() => feed('x', 'float32', [1 << 16, 1 << 16])).toThrow('choose a smaller one');
  });
});
