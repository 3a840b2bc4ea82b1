import type { IntegrationRule } from '../../../../protocol/attribution';

/** A point of a path from 0 to 1 and its weight in the sum. */
export interface PathPoint {
  readonly alpha: number;
  readonly weight: number;
}

/**
 * The n points of a rule on [0, 1]. `left` k/n, `right` (k+1)/n, `middle` (k+½)/n, weights 1/n; `trapezoid` k/(n−1), weights 1/(n−1), halved at both ends;
 * `gauss-legendre` its nodes and weights. With `captum`, the trapezoid's weights are 1/n, halved at both ends, so that they add up to (n−1)/n.
 */
export function pathPoints(
  rule: IntegrationRule,
  n: number,
  convention: 'captum' | 'pytorch-grad-cam' | undefined,
): readonly PathPoint[] {
  const even = (shift: number): readonly PathPoint[] =>
    Array.from({ length: n }, (_, k) => ({ alpha: (k + shift) / n, weight: 1 / n }));
  switch (rule) {
    case 'left':
      return even(0);
    case 'right':
      return even(1);
    case 'middle':
      return even(0.5);
    case 'trapezoid': {
      const weight = 1 / (convention === 'captum' ? n : n - 1);
      return Array.from({ length: n }, (_, k) => ({
        alpha: k / (n - 1),
        weight: k === 0 || k === n - 1 ? weight / 2 : weight,
      }));
    }
    case 'gauss-legendre':
      return gaussLegendre(n);
  }
}

const MOST_ROUNDS = 100;

/**
 * Gauss-Legendre quadrature with n points, mapped from [−1, 1] to [0, 1]: the nodes are the roots of the Legendre polynomial Pₙ, found by Newton's
 * method from Tricomi's estimate cos(π (i + ¾) / (n + ½)); weights 2 / ((1 − x²) Pₙ′(x)²) (Abramowitz and Stegun 25.4.30).
 */
function gaussLegendre(n: number): readonly PathPoint[] {
  return Array.from({ length: n }, (_, i) => {
    let x = -Math.cos((Math.PI * (i + 0.75)) / (n + 0.5));
    let { value, slope } = legendre(n, x);
    for (let round = 0; round < MOST_ROUNDS && Math.abs(value / slope) > Number.EPSILON; round++) {
      x -= value / slope;
      ({ value, slope } = legendre(n, x));
    }
    return { alpha: (x + 1) / 2, weight: 1 / ((1 - x * x) * slope * slope) };
  });
}

/** Pₙ(x) and its derivative, by the three-term recurrence. */
function legendre(n: number, x: number): { value: number; slope: number } {
  let before = 1;
  let value = x;
  for (let k = 2; k <= n; k++)
    [before, value] = [value, ((2 * k - 1) * x * value - (k - 1) * before) / k];
  return { value, slope: (n * (x * value - before)) / (x * x - 1) };
}
