import { describe, expect, it } from 'vitest';
import {
  cellAtFed,
  cellCentre,
  fedToShown,
  fieldArea,
  fitInto,
  moveCell,
  shownToFed,
} from '../../../webview/src/lib/geometry';

const fed = { width: 150, height: 100 };

describe('picture, fed pixels and map', () => {
  it('goes back and forth between picture and fed pixels', () => {
    expect(fedToShown(fed, { x: 75, y: 25 })).toEqual({ x: 0.5, y: 0.25 });
    for (const point of [
      { x: 0.1, y: 0.9 },
      { x: 1, y: 0 },
    ]) {
      const back = fedToShown(fed, shownToFed(fed, point));
      expect(back.x).toBeCloseTo(point.x, 12);
      expect(back.y).toBeCloseTo(point.y, 12);
    }
  });

  it('finds the cell over a place, and the place of a cell', () => {
    const map = { rows: 5, columns: 3 };
    for (let row = 0; row < map.rows; row++)
      for (let column = 0; column < map.columns; column++) {
        const cell = { row, column };
        expect(cellAtFed(fed, map, cellCentre(fed, map, cell))).toEqual(cell);
      }
    expect(cellCentre(fed, map, { row: 0, column: 2 })).toEqual({ x: 125, y: 10 });
    expect(cellAtFed(fed, map, { x: -4, y: 900 })).toEqual({ row: 4, column: 0 });
    expect(cellAtFed(fed, map, { x: 150, y: 100 })).toEqual({ row: 4, column: 2 });
  });

  it('places a receptive field that reaches beyond the picture', () => {
    expect(fieldArea(fed, { left: -15, top: 0, width: 30, height: 50 })).toEqual({
      x: -0.1,
      y: 0,
      width: 0.2,
      height: 0.5,
    });
  });

  it('moves the marked cell by arrow keys only, inside the map', () => {
    const map = { rows: 2, columns: 3 };
    expect(moveCell(map, { row: 0, column: 0 }, 'ArrowRight')).toEqual({ row: 0, column: 1 });
    expect(moveCell(map, { row: 1, column: 2 }, 'ArrowDown')).toEqual({ row: 1, column: 2 });
    expect(moveCell(map, { row: 0, column: 0 }, 'ArrowUp')).toEqual({ row: 0, column: 0 });
    expect(moveCell(map, { row: 0, column: 0 }, 'Enter')).toBeNull();
  });

  it('fits a shape into an area', () => {
    expect(fitInto({ width: 200, height: 100 }, 1)).toEqual({
      x: 50,
      y: 0,
      width: 100,
      height: 100,
    });
    expect(fitInto({ width: 200, height: 100 }, 4)).toEqual({
      x: 0,
      y: 25,
      width: 200,
      height: 50,
    });
  });
});
