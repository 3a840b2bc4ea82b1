/** Tiles of one size in reading order. All lengths in CSS pixels; positions count from 0. */
export interface GridLayout {
  readonly width: number;
  readonly tileWidth: number;
  readonly tileHeight: number;
  readonly gap: number;
  readonly count: number;
}

export interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Positions from `first` up to, not including, `end`. */
export interface Range {
  readonly first: number;
  readonly end: number;
}

/** Tiles in a row; at least one. */
export const columnCount = (layout: GridLayout): number =>
  Math.max(1, Math.floor((layout.width - layout.gap) / (layout.tileWidth + layout.gap)));

/** Height of all rows. */
export const contentHeight = (layout: GridLayout): number =>
  Math.ceil(layout.count / columnCount(layout)) * (layout.tileHeight + layout.gap) + layout.gap;

/** Where a tile lies in the content. */
export function tileRectangle(layout: GridLayout, position: number): Rectangle {
  const columns = columnCount(layout);
  return {
    x: layout.gap + (position % columns) * (layout.tileWidth + layout.gap),
    y: layout.gap + Math.floor(position / columns) * (layout.tileHeight + layout.gap),
    width: layout.tileWidth,
    height: layout.tileHeight,
  };
}

/** The tile under a point of the content; null in the gaps and beyond the last tile. */
export function positionAt(layout: GridLayout, x: number, y: number): number | null {
  const columns = columnCount(layout);
  const column = Math.floor((x - layout.gap) / (layout.tileWidth + layout.gap));
  const row = Math.floor((y - layout.gap) / (layout.tileHeight + layout.gap));
  if (column < 0 || column >= columns || row < 0) return null;
  const position = row * columns + column;
  if (position >= layout.count) return null;
  const { x: left, y: top } = tileRectangle(layout, position);
  return x < left + layout.tileWidth && y < top + layout.tileHeight ? position : null;
}

/** Tiles of the rows that are visible, and of `ahead` more screens below. */
export function visibleRange(
  layout: GridLayout,
  scrollTop: number,
  height: number,
  ahead = 0,
): Range {
  const columns = columnCount(layout);
  const step = layout.tileHeight + layout.gap;
  const firstRow = Math.max(0, Math.floor((scrollTop - layout.gap) / step));
  const endRow = Math.ceil((scrollTop + height * (1 + ahead)) / step);
  return {
    first: Math.min(firstRow * columns, layout.count),
    end: Math.min(Math.max(endRow, 0) * columns, layout.count),
  };
}

/** Keys that walk the grid, and where each leads; null for other keys. */
export function moveByKey(
  layout: GridLayout,
  position: number,
  key: string,
  height: number,
): number | null {
  const columns = columnCount(layout);
  const page = columns * Math.max(1, Math.floor(height / (layout.tileHeight + layout.gap)));
  const last = layout.count - 1;
  const steps: Readonly<Record<string, number>> = {
    ArrowLeft: position - 1,
    ArrowRight: position + 1,
    ArrowUp: position - columns < 0 ? position : position - columns,
    ArrowDown: position + columns > last ? position : position + columns,
    PageUp: Math.max(position - page, 0),
    PageDown: Math.min(position + page, last),
    Home: 0,
    End: last,
  };
  const target = Object.hasOwn(steps, key) ? steps[key] : undefined;
  return target === undefined || last < 0 ? null : Math.min(Math.max(target, 0), last);
}

/** The scroll offset nearest to the present one that shows a tile whole. */
export function scrollToShow(
  layout: GridLayout,
  position: number,
  scrollTop: number,
  height: number,
): number {
  const { y } = tileRectangle(layout, position);
  const top = y - layout.gap;
  const bottom = y + layout.tileHeight + layout.gap;
  if (top < scrollTop) return top;
  return bottom > scrollTop + height ? bottom - height : scrollTop;
}
