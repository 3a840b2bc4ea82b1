/** a · x + b per channel; null where that does not describe what the graph does. */
export interface Affine {
  readonly a: readonly number[];
  readonly b: readonly number[];
}

/** The operators that an affine map is made of. */
export type ArithmeticOp = 'Add' | 'Sub' | 'Mul' | 'Div';

export const isArithmetic = (op: string): op is ArithmeticOp =>
  op === 'Add' || op === 'Sub' || op === 'Mul' || op === 'Div';

/** The value of a channel; a single value holds for all. */
export const at = (values: readonly number[], channel: number): number =>
  values[values.length === 1 ? 0 : channel] ?? NaN;

export const zip = (
  a: readonly number[],
  b: readonly number[],
  combine: (a: number, b: number) => number,
): readonly number[] =>
  Array.from({ length: Math.max(a.length, b.length) }, (_, channel) =>
    combine(at(a, channel), at(b, channel)),
  );

/** a · x + b, and then the operator with these values on it. */
export function followedBy({ a, b }: Affine, op: string, values: readonly number[]): Affine {
  switch (op) {
    case 'Add':
      return { a, b: zip(b, values, (x, y) => x + y) };
    case 'Sub':
      return { a, b: zip(b, values, (x, y) => x - y) };
    case 'Mul':
      return { a: zip(a, values, (x, y) => x * y), b: zip(b, values, (x, y) => x * y) };
    default:
      return { a: zip(a, values, (x, y) => x / y), b: zip(b, values, (x, y) => x / y) };
  }
}
