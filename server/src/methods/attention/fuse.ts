import type { HeadFusion } from '../../../../protocol/attention';
import type { HeadMatrices } from './canonical';

/** One matrix for all heads: [batch, queries, keys]. */
export interface FusedMatrices {
  readonly batch: number;
  readonly queries: number;
  readonly keys: number;
  readonly values: Float64Array;
}

/** Heads made one: their mean, largest or smallest value, element by element. `of` changes each value before. */
export function fuseHeads(
  { batch, heads, queries, keys, values }: HeadMatrices,
  fusion: HeadFusion,
  of: (value: number, at: number) => number = value => value,
): FusedMatrices {
  const size = queries * keys;
  const out = new Float64Array(batch * size);
  for (let image = 0; image < batch; image++)
    for (let head = 0; head < heads; head++) {
      const from = (image * heads + head) * size;
      for (let at = 0; at < size; at++) {
        const value = of(values[from + at] ?? 0, from + at);
        const to = image * size + at;
        const before = out[to] ?? 0;
        if (head === 0) out[to] = value;
        else if (fusion === 'mean') out[to] = before + value;
        else out[to] = fusion === 'max' ? Math.max(before, value) : Math.min(before, value);
      }
    }
  if (fusion === 'mean' && heads > 1)
    for (let at = 0; at < out.length; at++) out[at] = (out[at] ?? 0) / heads;
  return { batch, queries, keys, values: out };
}
