/** Pure parts of a menu with a search field. */

/** A line of the menu. Lines with the same value are the same choice. */
export interface PickerItem {
  readonly value: string;
  readonly label: string;
  /** Said behind the label, muted. */
  readonly detail?: string;
  /** A second line. */
  readonly description?: string;
  /** Heading over this line and those that follow with the same one. */
  readonly group?: string;
}

/** Most lines that are put into the page; what is left is found by typing. */
export const MOST_LINES = 200;

/**
 * The lines that hold every word that was typed, in label, detail or description. What begins with the text, and a detail that equals it
 * (the number of a class), comes first. Found lines stand once, however many groups they are in.
 */
export function searchItems<I extends PickerItem>(
  items: readonly I[],
  text: string,
): { readonly lines: readonly I[]; readonly left: number } {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return cut(items);
  const seen = new Set<string>();
  const found = items.filter(item => {
    const where = `${item.label} ${item.detail ?? ''} ${item.description ?? ''}`.toLowerCase();
    if (seen.has(item.value) || !words.every(word => where.includes(word))) return false;
    seen.add(item.value);
    return true;
  });
  const typed = words.join(' ');
  const rank = (item: PickerItem): number =>
    item.detail === typed ? 0 : item.label.toLowerCase().startsWith(typed) ? 1 : 2;
  return cut(found.sort((a, b) => rank(a) - rank(b)));
}

const cut = <I>(lines: readonly I[]): { readonly lines: readonly I[]; readonly left: number } => ({
  lines: lines.slice(0, MOST_LINES),
  left: Math.max(0, lines.length - MOST_LINES),
});

/** The line that a key leads to; null for keys that do not move. */
export function moveLine(count: number, at: number, key: string): number | null {
  const moves: Readonly<Record<string, number>> = {
    ArrowDown: at + 1,
    ArrowUp: at - 1,
    PageDown: at + 8,
    PageUp: at - 8,
    Home: 0,
    End: count - 1,
  };
  const to = Object.hasOwn(moves, key) ? moves[key] : undefined;
  return to === undefined || count === 0 ? null : Math.min(Math.max(to, 0), count - 1);
}
