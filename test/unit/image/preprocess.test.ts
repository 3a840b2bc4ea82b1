import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type {
  ChannelOrder,
  Interpolation,
  Layout,
  ResizeMode,
} from '../../../protocol/preprocessing';
import { decodeImage, decodeImageFile } from '../../../server/src/image/decode';
import { fitPixels } from '../../../server/src/image/fit';
import { preprocess } from '../../../server/src/image/preprocess';
import type { Raster } from '../../../server/src/image/raster';
import { describeShared } from '../../shared';
import { fixtureBytes, fixtureJson, makeSpec, sha256 } from './fixtures';

interface Case {
  readonly image: string;
  readonly spec: {
    readonly layout: Layout;
    readonly size: readonly [number, number];
    readonly channels: ChannelOrder;
    readonly resize: ResizeMode;
    readonly shortestSide: number;
    readonly border: number;
    readonly interpolation: Interpolation;
    readonly scale: number;
    readonly mean: readonly number[];
    readonly std: readonly number[];
  };
  readonly shape: readonly number[];
  readonly pixels: string;
  readonly float16: string;
  readonly float32: string;
  readonly float64: string;
}

const check = (raster: Raster, { spec, ...expected }: Case): void => {
  const [width, height] = spec.size;
  const plain = makeSpec({ ...spec, size: { width, height } });
  expect(sha256(fitPixels(raster, plain).pixels.data)).toBe(expected.pixels);
  for (const dtype of ['float16', 'float32', 'float64'] as const) {
    const { tensor } = preprocess(raster, plain, dtype);
    expect(tensor.shape).toEqual(expected.shape);
    expect(ArrayBuffer.isView(tensor.data) && sha256(tensor.data)).toBe(expected[dtype]);
  }
};

describe('preprocess equals Pillow with torchvision and Ultralytics geometry, in every bit', () => {
  const cases = fixtureJson('tensors.json') as Case[];
  it.each(cases)(
    '$image $spec.resize $spec.size $spec.channels $spec.layout $spec.interpolation',
    async each => {
      check((await decodeImage(fixtureBytes(each.image), each.image)).raster, each);
    },
  );
});

describeShared('preprocess on photographs', dir => {
  const cases = fixtureJson('shared.json') as Case[];
  it.each([...new Set(cases.map(({ image }) => image))])('%s', async image => {
    const file = path.join(dir, 'images', image);
    expect(existsSync(file)).toBe(true);
    const { raster } = await decodeImageFile(file);
    for (const each of cases.filter(other => other.image === image)) check(raster, each);
  });
});

describe('preprocess', () => {
  const ramp = (width: number, height: number): Raster => {
    const rgba = new Uint8Array(width * height * 4).fill(255);
    for (let i = 0; i < width * height; i++) rgba.set([i % 256, 2 * i, 3 * i], 4 * i);
    return { width, height, rgba };
  };
  const size = { width: 4, height: 4 };
  const plain = { size, resize: 'stretch' as const, scale: 1 };

  it('rounds and clamps for whole-number inputs', () => {
    const { tensor } = preprocess(ramp(4, 4), makeSpec({ ...plain, mean: [3] }), 'uint8');
    expect(tensor.data).toBeInstanceOf(Uint8Array);
    expect([...tensor.data].slice(0, 6)).toEqual([0, 0, 0, 0, 1, 2]);
    const wide = preprocess(ramp(4, 4), makeSpec({ ...plain, mean: [3] }), 'int64');
    expect(wide.tensor.data).toEqual(BigInt64Array.from(wide.tensor.data, BigInt));
    expect(wide.tensor.data[0]).toBe(-3n);
  });

  it('repeats the picture for a fixed batch', () => {
    const one = preprocess(ramp(4, 4), makeSpec(plain), 'float32').tensor;
    const two = preprocess(ramp(4, 4), makeSpec(plain), 'float32', 2).tensor;
    expect(two.shape).toEqual([2, 3, 4, 4]);
    expect([...two.data]).toEqual([...one.data, ...one.data]);
  });

  it('drops alpha for RGB and feeds it for RGBA', () => {
    const raster = ramp(4, 4);
    raster.rgba[3] = 7;
    expect(preprocess(raster, makeSpec(plain), 'float32').tensor.shape).toEqual([1, 3, 4, 4]);
    const { tensor } = preprocess(
      raster,
      makeSpec({ ...plain, channels: 'RGBA', layout: 'NHWC' }),
      'float32',
    );
    expect([...tensor.data].slice(0, 4)).toEqual([0, 0, 0, 7]);
  });

  it.each([
    ['stretch', { scaleX: 2, scaleY: 1, offsetX: 0, offsetY: 0 }],
    ['crop', { scaleX: 1, scaleY: 1, offsetX: 2, offsetY: 0 }],
    ['letterbox', { scaleX: 2, scaleY: 2, offsetX: 0, offsetY: -2 }],
  ] as const)('says which part of the picture is fed: %s', (resize, expected) => {
    const { geometry } = preprocess(
      ramp(8, 4),
      makeSpec({ size, resize, shortestSide: 4 }),
      'float32',
    );
    expect(geometry).toEqual({ picture: { width: 8, height: 4 }, fed: size, ...expected });
  });

  it('computes only the window of a picture that is long and thin', () => {
    const { tensor } = preprocess(ramp(2, 100_000), makeSpec({ size, shortestSide: 4 }), 'float32');
    expect(tensor.shape).toEqual([1, 3, 4, 4]);
  });

  it.each([
    [{ mean: [1, 2] }, 'outOfRange', /mean .* has 2 values but RGB is 3 channels/],
    [{ std: [0, 1, 1] }, 'outOfRange', /std .* is 0/],
    [{ layout: 'HW' as const }, 'outOfRange', /has no channel axis/],
    [{ size: { width: 0, height: 4 } }, 'outOfRange', /0×4/],
    [{ size: { width: 1e6, height: 1e6 } }, 'tooLarge', /smaller size/],
  ])('refuses %j', (values, code, message) => {
    const run = (): unknown => preprocess(ramp(4, 4), makeSpec(values), 'float32');
    expect(run).toThrow(
      expect.objectContaining({ name: 'UserError', code, message: expect.stringMatching(message) }),
    );
  });

  it('refuses element types that hold no picture', () => {
    expect(() => preprocess(ramp(4, 4), makeSpec(plain), 'string')).toThrow(/takes string/);
  });
});
