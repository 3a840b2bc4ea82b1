/** Numbers of one set of values, in float64. Empty sets (and sets without one finite value) are all 0. */
export interface Summary {
  readonly minimum: number;
  readonly maximum: number;
  readonly mean: number;
  /** Population variance (divided by n). */
  readonly variance: number;
  readonly meanMagnitude: number;
  /** Values left out because they are NaN or infinite. */
  readonly leftOut: number;
}

/**
 * Summarises `count` values given by position. NaN and infinite values are left out and counted. The mean and variance are
 * accumulated by Welford's recurrence (Technometrics 4, 1962), which does not cancel for large offsets.
 */
export function summarize(count: number, at: (position: number) => number): Summary {
  let used = 0;
  let minimum = Infinity;
  let maximum = -Infinity;
  let mean = 0;
  let squares = 0;
  let magnitudes = 0;
  for (let i = 0; i < count; i++) {
    const value = at(i);
    if (!Number.isFinite(value)) continue;
    used++;
    if (value < minimum) minimum = value;
    if (value > maximum) maximum = value;
    const delta = value - mean;
    mean += delta / used;
    squares += delta * (value - mean);
    magnitudes += Math.abs(value);
  }
  if (used === 0)
    return { minimum: 0, maximum: 0, mean: 0, variance: 0, meanMagnitude: 0, leftOut: count };
  return {
    minimum,
    maximum,
    mean,
    variance: squares / used,
    meanMagnitude: magnitudes / used,
    leftOut: count - used,
  };
}

/** The sentence that goes with left-out values, or none. */
export const leftOutNotes = (leftOut: number, total: number): string[] =>
  leftOut === 0
    ? []
    : [`${leftOut} of ${total} values are NaN or infinite and are left out of the statistics.`];
