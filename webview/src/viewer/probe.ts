import type { ProbeResult, ReceptiveField } from '../../../protocol/methods';
import type { Cell } from '../lib/geometry';

/** A place in every map and what each map has there; values by channel. */
export interface Probe {
  readonly cell: Cell;
  readonly values: ReadonlyMap<number, number>;
}

/** What is marked: the cell at once, values and receptive field when they have come. */
export interface ProbeState extends Probe {
  readonly field: ReceptiveField | null;
}

/**
 * Follows one place through all maps. At most one request is under way; places passed meanwhile are skipped. A place that was
 * picked stays when the pointer leaves.
 */
export class ProbeFollower {
  private picked: Cell | null = null;
  private hovered: Cell | null = null;
  private answered: ProbeState | null = null;
  private asking = false;
  private stale = false;
  private generation = 0;

  /**
   * @param ask asks for the visible channels; null where there is nothing to ask
   * @param onChange told whenever what is marked changed
   */
  constructor(
    private readonly ask: (
      cell: Cell,
    ) => Promise<ProbeResult & { readonly channels: readonly number[] }> | null,
    private readonly onChange: () => void,
  ) {}

  get cell(): Cell | null {
    return this.hovered ?? this.picked;
  }

  get pick(): Cell | null {
    return this.picked;
  }

  /** The marked place with the values that are known for it. */
  get state(): ProbeState | null {
    const { cell } = this;
    if (!cell) return null;
    if (this.answered && same(this.answered.cell, cell)) return this.answered;
    return { cell, values: new Map(), field: null };
  }

  hover(cell: Cell | null): void {
    if (same(cell, this.hovered)) return;
    this.hovered = cell;
    this.moved();
  }

  choose(cell: Cell | null): void {
    this.picked = cell;
    this.hovered = null;
    this.moved();
  }

  /** Other channels are visible, or the numbers changed. */
  refresh(): void {
    if (!this.cell) return;
    this.stale = true;
    this.next();
  }

  /** Forgets everything: the layer is another one. */
  clear(): void {
    this.generation++;
    this.picked = null;
    this.hovered = null;
    this.answered = null;
    this.onChange();
  }

  private moved(): void {
    this.onChange();
    this.next();
  }

  private next(): void {
    const { cell } = this;
    if (!cell || this.asking) return;
    if (!this.stale && this.answered && same(this.answered.cell, cell)) return;
    const question = this.ask(cell);
    if (!question) return;
    this.asking = true;
    this.stale = false;
    const { generation } = this;
    question
      .then(result => {
        if (generation !== this.generation) return;
        const values = new Map(
          result.channels.map((channel, i) => [channel, result.values[i] ?? Number.NaN]),
        );
        this.answered = { cell, values, field: result.receptiveField };
        this.onChange();
      })
      // What cannot be probed has no values; the map itself stays as it is.
      .catch(() => undefined)
      .finally(() => {
        this.asking = false;
        if (generation === this.generation && (this.stale || !same(this.cell, cell))) this.next();
      });
  }
}

const same = (a: Cell | null, b: Cell | null): boolean =>
  a === b || (a !== null && b !== null && a.row === b.row && a.column === b.column);
