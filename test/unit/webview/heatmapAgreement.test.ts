import { describe, expect, it } from 'vitest';
import {
  agreementOf,
  averagedTo,
  commonGrid,
  rankCorrelation,
} from '../../../webview/src/viewer/heatmapAgreement';

describe('rank correlation', () => {
  it('is that of scipy.stats.spearmanr, ties included', () => {
    const a = new Float32Array([0, 0, 3, 1, 2, 2, 5, 0.5, -1]);
    const b = new Float32Array([1, 0, 2, 2, 4, 0, 6, 0, -2]);
    expect(rankCorrelation(a, b)).toBeCloseTo(0.7725962317807585, 12);
    expect(
      rankCorrelation(
        a,
        a.map(value => -value),
      ),
    ).toBeCloseTo(-1, 12);
  });

  it('has no value where one side is constant or not finite', () => {
    const a = new Float32Array([1, 2, 3]);
    expect(rankCorrelation(a, new Float32Array([4, 4, 4]))).toBeNull();
    expect(rankCorrelation(a, new Float32Array([1, Number.NaN, 3]))).toBeNull();
  });
});

describe('maps of different grids', () => {
  it('are averaged to fewer cells, cut cells by their area (NumPy: W·x·Wᵀ)', () => {
    const values = Float32Array.from({ length: 35 }, (_, i) => i ** 1.5);
    const coarse = averagedTo({ rows: 5, columns: 7, values }, { rows: 2, columns: 3 });
    const expected = [20.2279076, 28.8334919, 39.0865894, 113.3487505, 130.1323305, 147.6957979];
    expected.forEach((value, i) => expect(coarse[i]).toBeCloseTo(value, 4));
  });

  it('are the adaptive average pooling of PyTorch where the cells fit', () => {
    const values = Float32Array.from({ length: 32 }, (_, i) => i);
    expect([...averagedTo({ rows: 4, columns: 8, values }, { rows: 2, columns: 4 })]).toEqual([
      4.5, 6.5, 8.5, 10.5, 20.5, 22.5, 24.5, 26.5,
    ]);
  });

  it('meet on the coarsest grid of them', () => {
    expect(
      commonGrid([
        { rows: 7, columns: 7 },
        { rows: 14, columns: 5 },
      ]),
    ).toEqual({ rows: 7, columns: 5 });
  });

  it('agree with themselves, and a single one with nothing', () => {
    const values = Float32Array.from({ length: 16 }, (_, i) => i);
    const fine = { rows: 4, columns: 4, values };
    const coarse = { rows: 2, columns: 2, values: new Float32Array([1, 2, 3, 4]) };
    expect(agreementOf([fine])).toBeNull();
    expect(agreementOf([fine, coarse])).toEqual({
      grid: { rows: 2, columns: 2 },
      matrix: [
        [1, 1],
        [1, 1],
      ],
    });
  });
});
