import type { Operators } from '../operators';
import type { Value } from '../value';

/** [batch, …sizes, channels] as [batch, channels, …sizes]. */
export const channelsFirst = (e: Operators, x: Value): Value => {
  const rank = x.shape.length;
  return e.transpose(x, [0, rank - 1, ...x.shape.slice(2).map((_, axis) => axis + 1)]);
};

/** [batch, channels, …sizes] as [batch, …sizes, channels]. */
export const channelsLast = (e: Operators, x: Value): Value =>
  e.transpose(x, [0, ...x.shape.slice(2).map((_, axis) => axis + 2), 1]);
