import type { Operators } from '../operators';
import type { Rule } from '../rule';
import type { Value } from '../value';

/** Matrices of more rows are refused: the list of cofactors grows with the fourth power. */
const MOST_ROWS = 8;

/**
 * Determinants of square matrices: dy times the matrix of cofactors (Jacobi's formula). Cofactors are determinants of minors, so that singular
 * matrices have their gradient too and no inverse is needed, which ONNX has not.
 */
export const det: Rule = {
  ops: ['Det'],
  vjp: (n, e) => [
    () => {
      const { shape } = n.x();
      const size = shape.at(-1) ?? 1;
      if (size > MOST_ROWS)
        n.refuse(`its matrices have ${size} rows, and only up to ${MOST_ROWS} are differentiated`);
      const dy = e.reshape(n.dy, [...shape.slice(0, -2), 1, 1]);
      return size === 1 ? dy : e.mul(dy, cofactors(e, n.x(), size));
    },
  ],
};

function cofactors(e: Operators, matrices: Value, size: number): Value {
  const batch = matrices.shape.slice(0, -2);
  const places = [...Array(size).keys()];
  const minors = places.flatMap(row =>
    places.flatMap(column =>
      places
        .filter(r => r !== row)
        .flatMap(r => places.filter(c => c !== column).map(c => r * size + c)),
    ),
  );
  const elements = e.reshape(matrices, [...batch, size * size]);
  const gathered = e.gatherConstant(elements, minors, batch.length);
  const determinants = e.node('Det', [
    e.reshape(gathered, [...batch, size * size, size - 1, size - 1]),
  ]);
  const signs = places.flatMap(row => places.map(column => 1 - 2 * ((row + column) % 2)));
  return e.mul(
    e.reshape(determinants, matrices.shape),
    e.floats(matrices.dtype, [size, size], signs),
  );
}
