import { addToRows, fromZero } from '../indexing';
import type { Operators } from '../operators';
import type { Rule, RuleNode } from '../rule';
import type { Value } from '../value';

/**
 * Slices by index tuples on the first axes (behind `batch_dims` common ones). The tuples become row numbers of the data read as
 * [rows, elements of a slice], and the gradient is added to those rows.
 */
export const gatherNd: Rule = {
  ops: ['GatherND', 'com.microsoft.GatherND'],
  vjp: (n, e) => [
    () => {
      const { shape } = n.x();
      if (n.dy.shape.includes(0)) return e.zeros(n.x());
      const { numbers, rows } = rowNumbers(n, e);
      const inner = shape.reduce((a, b) => a * b, 1) / Math.max(1, rows);
      const flat = e.reshape(n.dy, [1, numbers.shape[0] ?? 0, inner]);
      return e.reshape(addToRows(n, e, flat, numbers, rows), shape);
    },
  ],
};

/** Σ index · stride of each tuple, as a vector, and how many rows there are. */
function rowNumbers(n: RuleNode, e: Operators): { readonly numbers: Value; readonly rows: number } {
  const data = n.x().shape;
  const tuples = n.x(1);
  const batchRank = n.int('batch_dims', 0);
  const depth = tuples.shape.at(-1) ?? 0;
  const sizes = data.slice(batchRank, batchRank + depth);
  const strides = sizes.map((_, i) => product(sizes.slice(i + 1)));
  const batches = product(data.slice(0, batchRank));
  const [count, perBatch] = [product(tuples.shape.slice(0, -1)), product(sizes)];
  const columns = sizes.map((size, i) => {
    const flat = e.reshape(tuples, [count, depth]);
    const column = depth === 1 ? flat : e.slice(flat, [i], [i + 1], [1]);
    return e.mul(fromZero(e, column, size), e.ints([strides[i] ?? 1], []));
  });
  const numbers = e.reshape(e.sum(columns), [batches, count / batches]);
  const starts = Array.from({ length: batches }, (_, batch) => batch * perBatch);
  return {
    numbers: e.reshape(e.add(numbers, e.ints(starts, [batches, 1])), [count]),
    rows: batches * perBatch,
  };
}

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);
