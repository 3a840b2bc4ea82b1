import type { ReceptiveField } from '../../../protocol/methods';
import type { PictureGeometry } from '../../../protocol/preprocessing';
import type { Rectangle } from './gridLayout';

/**
 * Three places that are marked together: the shown part of the picture (fractions 0…1 of it), the pixels that are fed to the
 * network, and the cells of a map. A map of rows × columns covers all fed pixels evenly.
 */

export interface Point {
  readonly x: number;
  readonly y: number;
}
export interface Cell {
  readonly row: number;
  readonly column: number;
}
export interface MapSize {
  readonly rows: number;
  readonly columns: number;
}

/** A geometry for a picture of which nothing is known: all of it is fed as it is. */
export const plainGeometry = (width: number, height: number): PictureGeometry => ({
  picture: { width, height },
  fed: { width, height },
  scaleX: 1,
  scaleY: 1,
  offsetX: 0,
  offsetY: 0,
});

/** The part of the picture that the network sees, in picture pixels: what is fed, without a letterbox border. */
export function shownPart(geometry: PictureGeometry): Rectangle {
  const { picture, fed, scaleX, scaleY, offsetX, offsetY } = geometry;
  const left = Math.max(0, offsetX);
  const top = Math.max(0, offsetY);
  const right = Math.min(picture.width, fed.width * scaleX + offsetX);
  const bottom = Math.min(picture.height, fed.height * scaleY + offsetY);
  return { x: left, y: top, width: Math.max(right - left, 1), height: Math.max(bottom - top, 1) };
}

/** Fed pixels → fraction of the shown part; outside 0…1 on a letterbox border and beyond. */
export function fedToShown(geometry: PictureGeometry, point: Point): Point {
  const part = shownPart(geometry);
  return {
    x: (point.x * geometry.scaleX + geometry.offsetX - part.x) / part.width,
    y: (point.y * geometry.scaleY + geometry.offsetY - part.y) / part.height,
  };
}

/** The inverse of fedToShown. */
export function shownToFed(geometry: PictureGeometry, point: Point): Point {
  const part = shownPart(geometry);
  return {
    x: (point.x * part.width + part.x - geometry.offsetX) / geometry.scaleX,
    y: (point.y * part.height + part.y - geometry.offsetY) / geometry.scaleY,
  };
}

/** The cell of a map over a fed pixel, kept inside the map. */
export function cellAtFed(geometry: PictureGeometry, map: MapSize, point: Point): Cell {
  return clampCell(map, {
    row: Math.floor((point.y / geometry.fed.height) * map.rows),
    column: Math.floor((point.x / geometry.fed.width) * map.columns),
  });
}

/** The middle of a cell in fed pixels. */
export const cellCentre = (geometry: PictureGeometry, map: MapSize, cell: Cell): Point => ({
  x: ((cell.column + 0.5) / map.columns) * geometry.fed.width,
  y: ((cell.row + 0.5) / map.rows) * geometry.fed.height,
});

/** All fed pixels as fractions of the shown part: where a map is laid over the picture. */
export function fedArea(geometry: PictureGeometry): Rectangle {
  return between(
    fedToShown(geometry, { x: 0, y: 0 }),
    fedToShown(geometry, { x: geometry.fed.width, y: geometry.fed.height }),
  );
}

/** A receptive field as fractions of the shown part; it may reach beyond it. */
export function fieldArea(geometry: PictureGeometry, field: ReceptiveField): Rectangle {
  return between(
    fedToShown(geometry, { x: field.left, y: field.top }),
    fedToShown(geometry, { x: field.left + field.width, y: field.top + field.height }),
  );
}

const between = (from: Point, to: Point): Rectangle => ({
  x: from.x,
  y: from.y,
  width: to.x - from.x,
  height: to.y - from.y,
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
export function fitInto(
  area: { readonly width: number; readonly height: number },
  aspect: number,
): Rectangle {
  const width = Math.min(area.width, area.height * aspect);
  const height = width / aspect;
  return { x: (area.width - width) / 2, y: (area.height - height) / 2, width, height };
}
