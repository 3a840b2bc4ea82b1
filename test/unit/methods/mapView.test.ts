import { describe, expect, it } from 'vitest';
import {
  elementIndex,
  mapView,
  tokenGrid,
  type MapHints,
} from '../../../server/src/methods/mapView';

const NOTHING: MapHints = { channels: null, grid: null, picture: true };

/** Reads a tensor of 0, 1, 2 … at (channel, row, column). */
const at = (
  shape: readonly number[],
  hints: MapHints,
  channel: number,
  row: number,
  column: number,
): number => elementIndex(mapView('x', shape, hints), channel, row, column);

/** C-order index of a multi-index. */
const indexOf = (shape: readonly number[], index: readonly number[]): number =>
  index.reduce((flat, value, axis) => flat * (shape[axis] ?? 1) + value, 0);

describe('mapView', () => {
  it('reads channels-first and channels-last maps', () => {
    const shape = [2, 3, 4, 5];
    const first = mapView('x', shape, NOTHING);
    expect(first).toMatchObject({ layout: 'NCHW', channels: 3, rows: 4, columns: 5 });
    expect(first.notes).toEqual(['Batch of 2: the first image is shown.']);
    expect(at(shape, NOTHING, 2, 3, 1)).toBe(indexOf(shape, [0, 2, 3, 1]));
    const last = { ...NOTHING, channels: 'last' as const };
    expect(mapView('x', shape, last)).toMatchObject({
      layout: 'NHWC',
      channels: 5,
      rows: 3,
      columns: 4,
    });
    expect(at(shape, last, 2, 1, 3)).toBe(indexOf(shape, [0, 1, 3, 2]));
  });

  it('lays the slices of a volume side by side', () => {
    const shape = [1, 2, 3, 4, 5];
    const first: MapHints = { ...NOTHING, channels: 'first' };
    expect(mapView('x', shape, first)).toMatchObject({ channels: 2, rows: 4, columns: 15 });
    expect(at(shape, first, 1, 3, 2 * 5 + 4)).toBe(indexOf(shape, [0, 1, 2, 3, 4]));
  });

  it('shows other tensors of a high rank as planes', () => {
    const shape = [1, 2, 3, 4, 5];
    expect(mapView('x', shape, NOTHING)).toMatchObject({ channels: 6, rows: 4, columns: 5 });
    expect(at(shape, NOTHING, 5, 3, 4)).toBe(indexOf(shape, [0, 1, 2, 3, 4]));
  });

  it('lays tokens on their grid without the tokens in front', () => {
    const shape = [1, 197, 64];
    const view = mapView('x', shape, NOTHING);
    expect(view).toMatchObject({
      layout: 'tokens',
      channels: 64,
      rows: 14,
      columns: 14,
      prefixTokens: 1,
    });
    expect(at(shape, NOTHING, 7, 2, 3)).toBe(indexOf(shape, [0, 1 + 2 * 14 + 3, 7]));
  });

  it('uses the known grid where it fits, also for sequences before the batch', () => {
    const hints = { ...NOTHING, grid: { rows: 12, columns: 20 } };
    const shape = [240, 1, 32];
    expect(mapView('x', shape, hints)).toMatchObject({
      layout: 'tokens',
      channels: 32,
      rows: 12,
      columns: 20,
    });
    expect(at(shape, hints, 5, 11, 2)).toBe(indexOf(shape, [11 * 20 + 2, 0, 5]));
  });

  it('keeps tokens in a row where no grid is known', () => {
    expect(mapView('x', [1, 9, 16], { ...NOTHING, picture: false })).toMatchObject({
      layout: 'sequence',
      channels: 16,
      rows: 1,
      columns: 9,
    });
    expect(mapView('x', [1, 7, 32], NOTHING)).toMatchObject({
      layout: 'sequence',
      rows: 1,
      columns: 7,
    });
  });

  it('reads one-dimensional convolutions as rows and flattened maps on their grid', () => {
    const hints = { ...NOTHING, channels: 'first' as const };
    expect(mapView('x', [1, 8, 30], hints)).toMatchObject({
      layout: 'sequence',
      channels: 8,
      rows: 1,
      columns: 30,
    });
    expect(at([1, 8, 30], hints, 3, 0, 4)).toBe(3 * 30 + 4);
    const flattened = { ...hints, grid: { rows: 5, columns: 6 } };
    expect(mapView('x', [1, 8, 30], flattened)).toMatchObject({
      layout: 'NCHW',
      rows: 5,
      columns: 6,
    });
    expect(at([1, 8, 30], flattened, 3, 2, 4)).toBe(3 * 30 + 2 * 6 + 4);
  });

  it.each([[[1, 1000]], [[1000]], [[1, 512, 1, 1]], [[1, 1, 1, 96]], [[1, 1, 48]], [[]]])(
    'shows %j as bars',
    shape => {
      const view = mapView('x', shape, NOTHING);
      expect(view).toMatchObject({
        layout: 'vector',
        channels: 1,
        rows: 1,
        columns: Math.max(1, ...shape),
      });
      expect(elementIndex(view, 0, 0, view.columns - 1)).toBe(view.columns - 1);
    },
  );

  it('refuses tensors without elements', () => {
    expect(() => mapView('x', [1, 0, 4], NOTHING)).toThrow(
      'The tensor "x" has no elements (shape [1, 0, 4]).',
    );
  });
});

describe('tokenGrid', () => {
  it.each([
    [197, 14, 1],
    [196, 14, 0],
    [198, 14, 2],
    [201, 14, 5],
    [261, 16, 5],
    [5, 2, 1],
    [50, 7, 1],
  ])('takes %i tokens for a square', (tokens, side, prefix) => {
    const grid = tokenGrid(tokens, { grid: null, picture: true });
    expect(grid).toEqual({ rows: side, columns: side });
    expect(tokens - side * side).toBe(prefix);
  });
});
