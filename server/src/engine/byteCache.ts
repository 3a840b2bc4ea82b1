import type { Disposable } from '../../../protocol/lifecycle';

interface Entry<V> {
  readonly value: V;
  bytes: number;
}

/**
 * Values by key, the least recently used ones forgotten when their bytes go over the budget. The newest value stays even when it is larger
 * than the budget alone: it is what somebody asked for. `onForget` is told of each value that leaves.
 */
export class ByteCache<V> implements Disposable {
  private readonly entries = new Map<string, Entry<V>>();
  private total = 0;

  constructor(
    private budget: number,
    private readonly onForget: (value: V) => void = () => undefined,
  ) {}

  get bytes(): number {
    return this.total;
  }
  get size(): number {
    return this.entries.size;
  }

  get(key: string): V | undefined {
    const entry = this.entries.get(key);
    if (!entry) return undefined;
    this.entries.delete(key);
    this.entries.set(key, entry);
    return entry.value;
  }

  set(key: string, value: V, bytes: number): void {
    this.delete(key);
    this.entries.set(key, { value, bytes });
    this.total += bytes;
    this.shrink();
  }

  /** A kept value has become larger or smaller; it counts as used. */
  resize(key: string, bytes: number): void {
    const entry = this.entries.get(key);
    if (!entry) return;
    this.get(key);
    this.total += bytes - entry.bytes;
    entry.bytes = bytes;
    this.shrink();
  }

  setBudget(bytes: number): void {
    this.budget = bytes;
    this.shrink();
  }

  deleteWhere(matches: (key: string) => boolean): void {
    for (const key of [...this.entries.keys()]) if (matches(key)) this.delete(key);
  }

  delete(key: string): void {
    const entry = this.entries.get(key);
    if (!entry) return;
    this.entries.delete(key);
    this.total -= entry.bytes;
    this.onForget(entry.value);
  }

  dispose(): void {
    this.deleteWhere(() => true);
  }

  private shrink(): void {
    for (const key of [...this.entries.keys()]) {
      if (this.total <= this.budget || this.entries.size === 1) return;
      this.delete(key);
    }
  }
}
