/** An Einsum equation with one letter for each axis: ellipses are written out with letters that it does not use. */
export interface EinsumEquation {
  /** The letters of each operand's axes. */
  readonly terms: readonly string[];
  /** The letters of the output's axes. */
  readonly output: string;
}

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';

/**
 * Reads an equation for operands of these ranks (null: not known, which a term without an ellipsis tells); null where it does not fit them.
 * Ellipses broadcast from the right, as those of numpy.einsum. An equation without an arrow gives the axes of the ellipsis, then the letters
 * that it has once, in alphabetical order.
 */
export function readEinsum(
  equation: string,
  ranks: readonly (number | null)[],
): EinsumEquation | null {
  const [left = '', right] = equation.replace(/\s/g, '').split('->');
  const terms = left.split(',');
  if (terms.length !== ranks.length) return null;
  const widths = terms.map((term, i) => ellipsisWidth(term, ranks[i] ?? null));
  const width = Math.max(...widths);
  const free = [...LETTERS].filter(letter => !equation.includes(letter));
  if (widths.some(axes => !(axes >= 0)) || width > free.length) return null;
  const spare = free.slice(0, width).join('');
  const written = (term: string, axes: number): string =>
    term.replace(ELLIPSIS, spare.slice(width - axes));
  const plain = terms.map((term, i) => written(term, widths[i] ?? 0));
  const output = right === undefined ? spare + implicitOutput(left) : written(right, width);
  return [...plain, output].every(term => /^[A-Za-z]*$/.test(term))
    ? { terms: plain, output }
    : null;
}

/** Number of axes behind the ellipsis of a term, 0 where it has none; NaN where the term does not fit the rank. */
function ellipsisWidth(term: string, rank: number | null): number {
  if (term.includes(ELLIPSIS)) return rank === null ? NaN : rank - (term.length - ELLIPSIS.length);
  return rank === null || rank === term.length ? 0 : NaN;
}

const ELLIPSIS = '...';

const implicitOutput = (left: string): string =>
  [...LETTERS].filter(letter => left.split(letter).length === 2).join('');
