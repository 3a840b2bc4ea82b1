import { axisMatrix, type AxisMatrix, transposedAlong } from '../axisMatrix';
import type { Rule } from '../rule';

/**
 * y = x · s^−β with s = bias + α/n · Σ x² over n channels around each:
 * dx = dy · s^−β − 2αβ/n · x · Σ (dy · y / s) over the channels that x counts for.
 */
export const localResponse: Rule = {
  ops: ['LRN'],
  vjp: (n, e) => [
    () => {
      const size = n.int('size', 1);
      const alpha = n.float('alpha', 1e-4);
      const beta = n.float('beta', 0.75);
      const channels = n.x().shape[1] ?? 1;
      const after = Math.floor(size / 2);
      const before = size - 1 - after;
      const squares = transposedAlong(e, e.square(n.x()), 1, band(channels, after, before));
      const s = e.offset(e.scale(squares, alpha / size), n.float('bias', 1));
      const power = e.exp(e.scale(e.log(s), -beta));
      const quotient = e.div(e.mul(n.dy, n.y()), s);
      const around = transposedAlong(e, quotient, 1, band(channels, before, after));
      return e.sub(e.mul(n.dy, power), e.scale(e.mul(n.x(), around), (2 * alpha * beta) / size));
    },
  ],
};

/** Ones from `before` columns before the diagonal to `after` columns behind it. */
const band = (size: number, before: number, after: number): AxisMatrix =>
  axisMatrix(
    size,
    Array.from({ length: size }, (_, row) =>
      Array.from({ length: before + after + 1 }, (_, k) => [row - before + k, 1] as const).filter(
        ([column]) => column >= 0 && column < size,
      ),
    ),
  );
