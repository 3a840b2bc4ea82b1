import { describe, expect, it } from 'vitest';
import { gridText, percentile, shownMap } from '../../../webview/src/lib/attributionMap';

const map = new Float32Array([-4, -1, 0, 2, 8, 1]);
const layerMap = { method: 'grad-cam', rows: 2, columns: 3, map, magnitude: null } as const;

describe('what is painted of an attribution', () => {
  it('of a layer is the positive part, from its smallest to its largest value', () => {
    const shown = shownMap(layerMap, 'strength', 'auto');
    expect([...shown.values]).toEqual([0, 0, 0, 2, 8, 1]);
    expect(shown.range).toEqual({ low: 0, high: 8 });
    expect(shown.colorMap).toBe('viridis');
    expect(shown.note).toBe('positive part');
    const positive = { ...layerMap, map: new Float32Array([2, 3, 4, 5, 6, 7]) };
    expect(shownMap(positive, 'strength', 'inferno').range).toEqual({ low: 2, high: 7 });
  });

  it('is centred on zero in diverging colours where the sign is shown', () => {
    const shown = shownMap(layerMap, 'signed', 'inferno');
    expect(shown.values).toBe(map);
    expect(shown.range).toEqual({ low: -8, high: 8 });
    expect(shown.colorMap).toBe('diverging');
  });

  it('of pixels is the magnitude over the channels; a covered window counts by its sign', () => {
    const magnitude = new Float32Array([5, 2, 1, 3, 9, 2]);
    const gradient = { ...layerMap, method: 'gradient', magnitude } as const;
    expect(shownMap(gradient, 'strength', 'auto').values).toBe(magnitude);
    expect([...shownMap(gradient, 'positive', 'auto').values]).toEqual([0, 0, 0, 2, 8, 1]);
    const occlusion = { ...layerMap, method: 'occlusion', magnitude } as const;
    expect([...shownMap(occlusion, 'strength', 'auto').values]).toEqual([0, 0, 0, 2, 8, 1]);
  });

  it('of an empty or broken map is still a picture', () => {
    const empty = { ...layerMap, map: new Float32Array(6) };
    expect(shownMap(empty, 'strength', 'auto').range).toEqual({ low: 0, high: 1 });
    expect(shownMap(empty, 'signed', 'auto').range).toEqual({ low: -1, high: 1 });
    const broken = { ...layerMap, map: new Float32Array(6).fill(Number.NaN) };
    expect(shownMap(broken, 'strength', 'auto').range).toEqual({ low: 0, high: 1 });
  });
});

describe('colours of fine maps', () => {
  it('end where all but a small share of the magnitudes lie', () => {
    const values = Float32Array.from({ length: 1000 }, (_, i) => (i === 500 ? -1000 : i % 100));
    expect(percentile(values, 0.995)).toBeGreaterThanOrEqual(99);
    expect(percentile(values, 0.995)).toBeLessThan(100);
    expect(percentile(values, 1)).toBe(1000);
    expect(percentile(new Float32Array(4), 0.995)).toBe(0);
  });
});

describe('the native grid', () => {
  const geometryOf = (width: number, height: number) => ({
    picture: { width, height },
    fed: { width, height },
    scaleX: 1,
    scaleY: 1,
    offsetX: 0,
    offsetY: 0,
  });

  it('is told with the factor that it is upsampled by', () => {
    const geometry = geometryOf(224, 224);
    expect(gridText({ rows: 7, columns: 7, geometry })).toBe('7×7, upsampled ×32');
    expect(gridText({ rows: 224, columns: 224, geometry })).toBe('224×224');
    expect(gridText({ rows: 9, columns: 9, geometry })).toBe('9×9, upsampled ×24.89');
    expect(gridText({ rows: 10, columns: 20, geometry: geometryOf(640, 480) })).toBe(
      '10×20, upsampled ×48×32',
    );
    expect(gridText({ rows: 7, columns: 7, geometry: null })).toBe('7×7');
  });
});
