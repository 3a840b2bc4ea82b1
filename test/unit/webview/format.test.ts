import { describe, expect, it } from 'vitest';
import {
  baseName,
  formatBytes,
  formatCell,
  formatMs,
  formatNumber,
  formatShape,
} from '../../../webview/src/lib/format';
import { preprocessingRows } from '../../../webview/src/lib/preprocessingRows';
import type { PreprocessingSpec, Traced } from '../../../protocol/preprocessing';

describe('numbers for people', () => {
  it.each([
    [0, '0'],
    [2.918, '2.918'],
    [-0.41, '−0.4100'],
    [3, '3'],
    [1234567, '1.23e+6'],
    [0.0000432, '4.32e-5'],
    [Number.NaN, 'NaN'],
    [Number.NEGATIVE_INFINITY, '−∞'],
  ])('%d is %s', (value, text) => expect(formatNumber(value)).toBe(text));

  it('keeps cells short and the sign of what is nearly zero', () => {
    expect(['0.00', '−1e-4', '0.012', '−1.50', '12.3', '456']).toEqual(
      [0, -0.0001, 0.0123, -1.5, 12.34, 456].map(formatCell),
    );
  });

  it('knows sizes, times, shapes and names', () => {
    expect(formatBytes(2484091)).toBe('2.5 MB');
    expect(formatBytes(999_600)).toBe('1.0 MB');
    expect(formatBytes(12)).toBe('12 B');
    expect(formatMs(41.4)).toBe('41 ms');
    expect(formatMs(1260)).toBe('1.3 s');
    expect(formatShape(['batch', 3, null])).toBe('batch×3×?');
    expect(formatShape([])).toBe('scalar');
    expect(baseName('C:\\photos\\dog.jpg')).toBe('dog.jpg');
    expect(baseName('/photos/dog.jpg')).toBe('dog.jpg');
  });
});

describe('preprocessing rows', () => {
  const traced = <T>(value: T, guessed = false): Traced<T> => ({
    value,
    from: 'settings',
    guessed,
  });
  const spec: PreprocessingSpec = {
    input: 'data',
    layout: traced('NCHW'),
    size: traced({ width: 224, height: 160 }),
    channels: traced('BGR'),
    scale: traced(1 / 255, true),
    mean: traced([0.5]),
    std: traced([0.25]),
    resize: traced('letterbox'),
    shortestSide: traced(256),
    border: traced(114),
    interpolation: traced('bilinear'),
    notes: [],
  };

  it('names what matters for the resize mode, with its source', () => {
    const rows = preprocessingRows(spec);
    expect(rows.map(row => row.name)).toContain('Border grey');
    expect(rows.map(row => row.name)).not.toContain('Shortest side');
    expect(rows.find(row => row.name === 'Size')?.value).toBe('224×160');
    expect(rows.find(row => row.name === 'Scale')).toEqual({
      name: 'Scale',
      value: '1/255',
      from: 'settings',
      guessed: true,
    });
  });
});
