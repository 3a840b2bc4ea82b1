/** Distance of two short words: insertions, deletions, changes and swaps of neighbours (optimal string alignment). */
function distance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, column) => column)];
  const at = (row: number, column: number): number => rows[row]?.[column] ?? Infinity;
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    rows.push(current);
    for (let column = 1; column <= b.length; column++) {
      const change = at(row - 1, column - 1) + (a[row - 1] === b[column - 1] ? 0 : 1);
      const swapped = a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      const swap = swapped ? at(row - 2, column - 2) + 1 : Infinity;
      current.push(Math.min(at(row - 1, column) + 1, (current[column - 1] ?? 0) + 1, change, swap));
    }
  }
  return at(a.length, b.length);
}

/** The known word that a mistyped one most likely means; null where none is close. Words longer than 64 characters are close to none. */
export function nearest(word: string, known: readonly string[]): string | null {
  if (word.length > 64) return null;
  const limit = Math.max(1, Math.floor(word.length / 2));
  const scored = known
    .map(candidate => ({
      candidate,
      steps: candidate.startsWith(word) ? 1 : distance(word, candidate),
    }))
    .filter(({ steps }) => steps <= limit)
    .sort((a, b) => a.steps - b.steps);
  return scored[0]?.candidate ?? null;
}

/** ` Did you mean X?`, or nothing. */
export const suggestion = (word: string, known: readonly string[], prefix = ''): string => {
  const close = nearest(word, known);
  return close === null ? '' : `; did you mean ${prefix}${close}?`;
};
