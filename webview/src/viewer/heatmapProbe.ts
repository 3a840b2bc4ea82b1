import {
  cellAtFed,
  cellCentre,
  moveCell,
  type MapSize,
  type Point,
  type Size,
} from '../lib/geometry';

/** The place that is marked in all maps, in fed pixels: under the pointer, else the one that was picked. */
export class HeatmapProbe {
  private hovered: Point | null = null;
  private picked: Point | null = null;

  constructor(private readonly onChange: () => void) {}

  get point(): Point | null {
    return this.hovered ?? this.picked;
  }

  /** The picked place alone. */
  get pick(): Point | null {
    return this.picked;
  }

  hover(point: Point | null): void {
    if (point === null && this.hovered === null) return;
    this.hovered = point;
    this.onChange();
  }

  choose(point: Point | null): void {
    this.picked = point;
    this.hovered = null;
    this.onChange();
  }

  /** Moves the picked place by an arrow key, a cell of this grid at a time; false for other keys. */
  move(fed: Size, grid: MapSize, key: string): boolean {
    const from = this.point
      ? cellAtFed(fed, grid, this.point)
      : { row: grid.rows >> 1, column: grid.columns >> 1 };
    const to = moveCell(grid, from, key);
    if (to) this.choose(cellCentre(fed, grid, this.point ? to : from));
    return to !== null;
  }
}
