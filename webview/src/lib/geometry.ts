import type { FractionBox } from '../../../protocol/attribution';
import type { ReceptiveField } from '../../../protocol/methods';
import type { Rectangle } from './gridLayout';

/**
 * Three places that are marked together: the shown picture, which is what is fed to the network (a letterbox border included), as
 * fractions 0…1 of its sides; the pixels that are fed; and the cells of a map. A map of rows × columns covers all fed pixels evenly.
 */

export interface Point {
  readonly x: number;
  readonly y: number;
}
export interface Size {
  readonly width: number;
  readonly height: number;
}
export interface Cell {
  readonly row: number;
  readonly column: number;
}
export interface MapSize {
  readonly rows: number;
  readonly columns: number;
}

/** A box on the picture with what it stands for; the chosen one is thicker. */
export interface Outline {
  readonly box: FractionBox;
  readonly label: string;
  /** Stands for the label where there is little room. */
  readonly short: string;
  readonly chosen: boolean;
}

/** Fed pixels → fractions of the shown picture. */
export const fedToShown = (fed: Size, point: Point): Point => ({
  x: point.x / fed.width,
  y: point.y / fed.height,
});

/** The inverse of fedToShown. */
export const shownToFed = (fed: Size, point: Point): Point => ({
  x: point.x * fed.width,
  y: point.y * fed.height,
});

/** The cell of a map over a fed pixel, kept inside the map. */
export const cellAtFed = (fed: Size, map: MapSize, point: Point): Cell =>
  clampCell(map, {
    row: Math.floor((point.y / fed.height) * map.rows),
    column: Math.floor((point.x / fed.width) * map.columns),
  });

/** The middle of a cell in fed pixels. */
export const cellCentre = (fed: Size, map: MapSize, cell: Cell): Point => ({
  x: ((cell.column + 0.5) / map.columns) * fed.width,
  y: ((cell.row + 0.5) / map.rows) * fed.height,
});

/** A receptive field as fractions of the shown picture; it may reach beyond it. */
export const fieldArea = (fed: Size, field: ReceptiveField): Rectangle => ({
  x: field.left / fed.width,
  y: field.top / fed.height,
  width: field.width / fed.width,
  height: field.height / fed.height,
});

/** A cell moved by an arrow key, kept inside the map; null for other keys. */
export function moveCell(map: MapSize, cell: Cell, key: string): Cell | null {
  const moves: Readonly<Record<string, Cell>> = {
    ArrowLeft: { row: cell.row, column: cell.column - 1 },
    ArrowRight: { row: cell.row, column: cell.column + 1 },
    ArrowUp: { row: cell.row - 1, column: cell.column },
    ArrowDown: { row: cell.row + 1, column: cell.column },
  };
  const moved = Object.hasOwn(moves, key) ? moves[key] : undefined;
  return moved ? clampCell(map, moved) : null;
}

const clampCell = (map: MapSize, cell: Cell): Cell => ({
  row: Math.min(Math.max(cell.row, 0), map.rows - 1),
  column: Math.min(Math.max(cell.column, 0), map.columns - 1),
});

/** The largest rectangle of a shape that fits into an area, in its middle. */
export function fitInto(area: Size, aspect: number): Rectangle {
  const width = Math.min(area.width, area.height * aspect);
  const height = width / aspect;
  return { x: (area.width - width) / 2, y: (area.height - height) / 2, width, height };
}
