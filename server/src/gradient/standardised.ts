import type { Operators } from './operators';
import type { Value } from './value';

/** x̂ = (x − mean) · r over some axes, and r, which has size 1 there. */
export interface Standardised {
  readonly unit: Value;
  readonly inverse: Value;
  readonly axes: readonly number[];
}

/** r = 1 / √(variance + ε), the variance around the mean, or around 0 (`centred` false). */
export function standardised(
  e: Operators,
  x: Value,
  axes: readonly number[],
  epsilon: number,
  centred = true,
): Standardised {
  const distance = centred ? e.sub(x, e.reduceMean(x, axes)) : x;
  const variance = e.reduceMean(e.square(distance), axes);
  const inverse = e.reciprocal(e.sqrt(e.offset(variance, epsilon)));
  return { unit: e.mul(distance, inverse), inverse, axes };
}

/** dx = r · (g − mean(g) − x̂ · mean(g · x̂)) for the gradient g of x̂; without mean(g) where x̂ is not centred. */
export function sentBack(
  e: Operators,
  g: Value,
  { unit, inverse, axes }: Standardised,
  centred = true,
): Value {
  const along = e.mul(unit, e.reduceMean(e.mul(g, unit), axes));
  const rest = centred ? e.sub(g, e.reduceMean(g, axes)) : g;
  return e.mul(inverse, e.sub(rest, along));
}
