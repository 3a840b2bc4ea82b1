import { describe, expect, it } from 'vitest';
import { decodeImage } from '../../../server/src/image/decode';
import { selectChannels } from '../../../server/src/image/fit';
import { resizePixels, type PixelFilter } from '../../../server/src/image/resample';
import { averageMap, resizeMap } from '../../../server/src/image/resizeMap';
import { fixtureBytes, fixtureJson, sha256 } from './fixtures';

interface Case {
  readonly filter: PixelFilter;
  readonly mode: 'RGB' | 'L';
  readonly size: readonly [number, number];
  readonly source?: readonly [number, number];
  readonly box?: readonly [number, number, number, number];
  readonly sha256: string;
}
const cases = fixtureJson('resample.json') as Case[];

describe('resizePixels equals Pillow in every bit', () => {
  it.each(cases)(
    '$filter $mode $size',
    async ({ filter, mode, size, source, box, sha256: expected }) => {
      const name = source ? 'large.png' : 'rgb.png';
      const { raster } = await decodeImage(fixtureBytes(name), name);
      const pixels = selectChannels(raster, mode === 'L' ? 'GRAY' : 'RGB');
      const [width, height] = size;
      const window = box && {
        left: box[0],
        top: box[1],
        width: box[2] - box[0],
        height: box[3] - box[1],
      };
      expect(sha256(resizePixels(pixels, { width, height }, filter, window).data)).toBe(expected);
    },
  );
});

describe('resizeMap', () => {
  // torch.nn.functional.interpolate(torch.arange(6.).reshape(1, 1, 2, 3), size=(3, 5), mode='bilinear', align_corners=False)
  it('is half-pixel bilinear', () => {
    const out = resizeMap(Float32Array.from([0, 1, 2, 3, 4, 5]), 2, 3, 3, 5, 'bilinear');
    const expected = [0, 0.4, 1, 1.6, 2, 1.5, 1.9, 2.5, 3.1, 3.5, 3, 3.4, 4, 4.6, 5];
    expect([...out].map(value => Number(value.toFixed(5)))).toEqual(expected);
  });

  it('takes the nearest as floor(i · in / out)', () => {
    expect([...resizeMap(Float32Array.from([1, 2, 3]), 1, 3, 2, 5, 'nearest')]).toEqual([
      1, 1, 2, 2, 3, 1, 1, 2, 2, 3,
    ]);
  });

  it('does not spread a NaN beyond its neighbours', () => {
    const out = resizeMap(Float32Array.from([1, NaN, 3, 4]), 1, 4, 1, 4, 'bilinear');
    expect([...out]).toEqual([1, NaN, 3, 4]);
  });
});

describe('averageMap', () => {
  it('is the block mean at whole ratios', () => {
    expect([...averageMap(Float32Array.from([1, 3, 5, 7, 2, 2, 8, 10]), 2, 4, 1, 2)]).toEqual([
      2, 7.5,
    ]);
  });

  it('counts inputs on an edge by their share and keeps the mean', () => {
    const out = averageMap(Float32Array.from([3, 6, 9]), 1, 3, 1, 2);
    expect([...out]).toEqual([4, 8]);
  });

  it('gives a copy of a map that is small enough', () => {
    const map = Float32Array.from([1, 2]);
    const out = averageMap(map, 1, 2, 1, 2);
    expect([...out]).toEqual([1, 2]);
    expect(out).not.toBe(map);
  });
});
