import { describe, expect, it } from 'vitest';
import { colorTable } from '../../../protocol/colorMaps';
import {
  colorPixels,
  inkOn,
  rangeFor,
  resampleBilinear,
  resolveColorMap,
  stepPixels,
  tileColors,
  valuePixels,
} from '../../../webview/src/lib/heat';

const grey = colorTable('grey');

describe('colour maps', () => {
  it('takes a diverging map for signed values only', () => {
    expect(resolveColorMap('auto', { low: -1, high: 2 })).toBe('diverging');
    expect(resolveColorMap('auto', { low: 0, high: 2 })).toBe('viridis');
    expect(resolveColorMap('turbo', { low: -1, high: 2 })).toBe('turbo');
    expect(resolveColorMap('no such map', { low: 0, high: 1 })).toBe('viridis');
  });

  it('centres a diverging map on zero', () => {
    expect(rangeFor('diverging', { low: -1, high: 3 })).toEqual({ low: -3, high: 3 });
    expect(rangeFor('viridis', { low: -1, high: 3 })).toEqual({ low: -1, high: 3 });
  });
});

describe('pixels of maps', () => {
  it('shows a quantised tile on a shared scale as its values would be', () => {
    const tile = { low: 1, high: 3 };
    const scale = { low: 0, high: 4 };
    const steps = Uint8Array.from({ length: 256 }, (_, step) => step);
    const values = Float32Array.from(steps, step => 1 + (step / 255) * 2);
    const painted = stepPixels(steps, tileColors(grey, tile, scale));
    expect(painted.length).toBe(256 * 4);
    const exact = valuePixels(values, grey, scale);
    for (let i = 0; i < painted.length; i++)
      expect(Math.abs((painted[i] ?? 0) - (exact[i] ?? 0))).toBeLessThanOrEqual(1);
  });

  it('uses the whole table on its own scale', () => {
    const colors = tileColors(grey, { low: -2, high: 5 }, { low: -2, high: 5 });
    expect(colors).toEqual(grey);
  });

  it('leaves NaN transparent', () => {
    const pixels = valuePixels(new Float32Array([Number.NaN, 1]), grey, { low: 0, high: 1 });
    expect([...pixels]).toEqual([0, 0, 0, 0, 255, 255, 255, 255]);
  });
});

describe('pixels of filters', () => {
  it('is weight · scale, with grey for zero and the ends for the largest magnitude', () => {
    // One pixel: red −1, green 0, blue 1 on a scale of ±1.
    expect([...colorPixels(new Float32Array([-1, 0, 1]), 1)]).toEqual([0, 128, 255, 255]);
    expect([...colorPixels(new Float32Array([-0.5, 0.25, 0.5]), 1)]).toEqual([64, 159, 191, 255]);
  });

  it('shows a filter without weights as grey', () => {
    expect([...colorPixels(new Float32Array(3), 0)]).toEqual([128, 128, 128, 255]);
  });

  it('writes in black on light and white on dark cells', () => {
    const pixels = new Uint8ClampedArray([255, 255, 255, 255, 68, 1, 84, 255]);
    expect(inkOn(pixels, 0)).toBe('#000');
    expect(inkOn(pixels, 1)).toBe('#fff');
  });
});

describe('bilinear resampling', () => {
  it('agrees with torch.nn.functional.interpolate(mode="bilinear", align_corners=False)', () => {
    const values = new Float32Array([0, 1, 4, 9, 16, 25]);
    // torch 2: x = arange(6).reshape(1, 1, 2, 3) ** 2, size (5, 4)
    const expected = [
      0, 0.625, 2.125, 4, 0.9, 1.9, 3.85, 6.1, 4.5, 7, 10.75, 14.5, 8.1, 12.1, 17.65, 22.9, 9,
      13.375, 19.375, 25,
    ];
    const resampled = resampleBilinear(values, 2, 3, 5, 4);
    expect(resampled.length).toBe(expected.length);
    expected.forEach((value, i) => expect(resampled[i]).toBeCloseTo(value, 5));
  });

  it('changes nothing at the same size', () => {
    const values = new Float32Array([3, -1, 7, 2]);
    expect(resampleBilinear(values, 2, 2, 2, 2)).toEqual(values);
  });
});
