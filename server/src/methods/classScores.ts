/** Largest deviation of a sum of probabilities from 1 (float16 softmax over 1000 classes stays below it). */
const SUM_TOLERANCE = 1e-3;

/** What the numbers of an output are. */
export type ScoreKind = 'probabilities' | 'logProbabilities' | 'logits';

/** Number of classes where a shape is that of class scores, [B, C] or [B, C, 1, 1] (or [B, 1, 1, C]) with at least 2 classes; else null. */
export function classCount(shape: readonly number[]): number | null {
  if (shape.length !== 2 && shape.length !== 4) return null;
  const rest = shape.slice(1).filter(size => size !== 1);
  return rest.length === 1 ? (rest[0] ?? null) : null;
}

/** Judges scores by their values: all ≥ 0 with sum 1 ± 1e-3, or all ≤ 0 with Σ exp = 1 ± 1e-3, else logits. */
export function scoreKind(scores: Float64Array): ScoreKind {
  let sum = 0;
  let exponentials = 0;
  let least = Infinity;
  let most = -Infinity;
  for (const score of scores) {
    sum += score;
    exponentials += Math.exp(Math.min(score, 0));
    least = Math.min(least, score);
    most = Math.max(most, score);
  }
  if (least >= 0 && Math.abs(sum - 1) <= SUM_TOLERANCE) return 'probabilities';
  if (most <= 0 && Math.abs(exponentials - 1) <= SUM_TOLERANCE) return 'logProbabilities';
  return 'logits';
}

/** Probabilities of class scores, by what the scores are. */
export function probabilities(scores: Float64Array): Float64Array {
  const kind = scoreKind(scores);
  if (kind === 'probabilities') return scores;
  if (kind === 'logProbabilities') return scores.map(Math.exp);
  const most = scores.reduce((a, b) => Math.max(a, b), -Infinity);
  const powers = scores.map(score => Math.exp(score - most));
  const total = powers.reduce((sum, power) => sum + power, 0);
  return powers.map(power => power / total);
}

/** One class of a prediction. */
export interface ScoredClass {
  readonly index: number;
  readonly score: number;
  readonly probability: number;
}

/** The `count` classes of highest score, highest first, the lower index first among equals. NaN scores come last. */
export function topClasses(scores: Float64Array, count: number): readonly ScoredClass[] {
  const chances = probabilities(scores);
  const rank = (index: number): number => {
    const score = scores[index] ?? NaN;
    return Number.isNaN(score) ? -Infinity : score;
  };
  const best: number[] = [];
  for (let index = 0; index < scores.length; index++) {
    if (best.length === count && rank(index) <= rank(best.at(-1) ?? 0)) continue;
    const place = best.findIndex(other => rank(other) < rank(index));
    best.splice(place < 0 ? best.length : place, 0, index);
    if (best.length > count) best.pop();
  }
  return best.map(index => ({
    index,
    score: scores[index] ?? NaN,
    probability: chances[index] ?? NaN,
  }));
}
