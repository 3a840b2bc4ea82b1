import { describe, expect, it } from 'vitest';
import type { DataType } from '../../../protocol/model';
import { readNpy, writeNpy } from '../../../server/src/image/npy';
import type { Tensor } from '../../../server/src/onnx/tensor';
import { fixtureBytes, fixtureJson } from './fixtures';

interface Reference {
  readonly shape: readonly number[];
  readonly dtype: string;
  readonly values: readonly string[];
}
const references = fixtureJson('npy/values.json') as Record<string, Reference>;

/** The values as numpy's `repr` gives them, halves decoded here. */
const texts = ({ dtype, data }: Tensor): number[] => {
  const numbers = Array.from(data, Number);
  return dtype === 'float16' ? numbers.map(fromHalf) : numbers;
};
const fromHalf = (bits: number): number => {
  const exponent = (bits >> 10) & 31;
  const magnitude =
    exponent === 0 ? (bits & 1023) * 2 ** -24 : (1 + (bits & 1023) / 1024) * 2 ** (exponent - 15);
  return bits & 0x8000 ? -magnitude : magnitude;
};

describe('readNpy reads what numpy wrote', () => {
  it.each(Object.keys(references))('%s', name => {
    const expected = references[name];
    const tensor = readNpy(fixtureBytes(`npy/${name}.npy`), `${name}.npy`);
    expect({ shape: tensor.shape, dtype: tensor.dtype }).toEqual({
      shape: expected?.shape,
      dtype: expected?.dtype,
    });
    expect(texts(tensor)).toEqual(expected?.values.flatMap(value => value.split(' ').map(Number)));
  });
});

describe('writeNpy', () => {
  it.each([
    'f2',
    'f4',
    'f8',
    'i1',
    'i2',
    'i4',
    'i8',
    'u1',
    'u2',
    'u4',
    'u8',
    'bool',
    'c8',
    'c16',
    'scalar',
    'empty',
    'vector',
  ])('gives numpy’s own bytes for %s', name => {
    const bytes = fixtureBytes(`npy/${name}.npy`);
    const written = writeNpy(readNpy(bytes, name));
    // numpy 2 pads headers by more than is needed; the reader is the same.
    expect(readNpy(written.bytes, name)).toEqual(readNpy(bytes, name));
    expect(Buffer.from(written.bytes).subarray(0, 8)).toEqual(bytes.subarray(0, 8));
    expect(written.bytes.indexOf(10) % 64).toBe(63);
    expect(written.note).toBe('');
  });

  it.each([
    ['bfloat16', Uint16Array.from([0x3f80, 0xc049]), 'float32', [1, -3.140625], /float32/],
    ['int4', Int8Array.from([-8, 7]), 'int8', [-8, 7], /int8/],
    ['uint2', Uint8Array.from([0, 3]), 'uint8', [0, 3], /uint8/],
    ['float8e4m3fn', Uint8Array.from([56, 57]), 'uint8', [56, 57], /codes/],
  ] as const)('states what becomes of %s', (dtype: DataType, data, stored, values, note) => {
    const file = writeNpy({ dtype, shape: [2], data });
    expect(file.note).toMatch(note);
    const back = readNpy(file.bytes, 'a.npy');
    expect(back.dtype).toBe(stored);
    expect(Array.from(back.data, Number)).toEqual(values);
  });

  it('writes strings as fixed-width Unicode', () => {
    const { bytes } = writeNpy({ dtype: 'string', shape: [2], data: ['cat', 'é'] });
    const text = Buffer.from(bytes).toString('latin1');
    expect(text).toContain("'descr': '<U3'");
    expect(bytes.length % 64).toBe(24);
  });
});

describe('readNpy refuses', () => {
  const header = (text: string): Buffer => {
    const head = Buffer.from('\x93NUMPY\x01\0\0\0', 'latin1');
    head.writeUInt16LE(text.length, 8);
    return Buffer.concat([head, Buffer.from(text)]);
  };
  it.each([
    ['text', Buffer.from('not an array at all'), /no \.npy file/],
    [
      'a shape larger than the file',
      header("{'descr': '<f4', 'fortran_order': False, 'shape': (1000000, 1000000), }"),
      /needs 4000000000000 bytes but it has 0/,
    ],
    [
      'sizes whose product overflows',
      header(
        "{'descr': '<f4', 'fortran_order': False, 'shape': (9999999999, 9999999999, 9999999999), }",
      ),
      /header is broken/,
    ],
    [
      'pickled objects',
      header("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }"),
      /header is broken|element type/,
    ],
    [
      'records',
      header("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,), }"),
      /header is broken/,
    ],
    [
      'negative sizes',
      header("{'descr': '<f4', 'fortran_order': False, 'shape': (-1,), }"),
      /header is broken/,
    ],
    ['a cut header', fixtureBytes('npy/f4.npy').subarray(0, 40), /header is broken/],
    ['cut data', fixtureBytes('npy/f4.npy').subarray(0, -1), /needs 48 bytes but it has 47/],
  ])('%s', (_what, bytes, message) => {
    expect(() => readNpy(bytes, 'a.npy')).toThrow(
      expect.objectContaining({
        name: 'UserError',
        code: 'badArray',
        message: expect.stringMatching(message),
      }),
    );
  });
});
