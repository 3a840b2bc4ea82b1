import type { FractionBox } from '../../../../../protocol/attribution';
import {
  centredBox,
  isProbability,
  largest,
  type Candidate,
  type DetectionForm,
  type FedSize,
  type Output,
} from './form';

const BOXES = /box|\bdets?\b/i;
const SCORES = /score|conf|cls|class|logit|label/i;
/** Of a sum of probabilities. */
const TOLERANCE = 1e-3;
/** Normalised boxes may reach over the edge. */
const BEYOND = 1.5;
/** Share of the boxes whose ends have to be in order where they are ends; a few of a network's are always degenerate. */
const ORDERED_SHARE = 0.99;

/**
 * Boxes [1, N, 4] beside scores [1, N, C], named so: UltraFace and SSD (probabilities that add up to 1, background first), DETR (logits, "no object" last),
 * and those with a probability or logit for each class by itself. What scores are, whether boxes are fractions or pixels, and whether they are two
 * corners or centre and size, is judged by the values of all N.
 */
export const boxesAndScores: DetectionForm = {
  recognise(outputs, fed) {
    const rank3 = outputs.filter(({ shape }) => shape.length === 3);
    const boxes = onlyOne(rank3.filter(({ name, shape }) => shape[2] === 4 && BOXES.test(name)));
    const scores =
      boxes &&
      onlyOne(
        rank3.filter(
          ({ name, shape }) =>
            name !== boxes.name && shape[1] === boxes.shape[1] && SCORES.test(name),
        ),
      );
    if (!boxes || !scores) return null;
    return {
      tensors: [boxes.name, scores.name],
      read: (valuesOf, threshold) => {
        const count = scores.shape[1] ?? 0;
        const length = scores.shape[2] ?? 0;
        const probabilities = scoreReader(valuesOf(scores.name), count, length);
        const boxAt = boxReader(valuesOf(boxes.name), count, fed);
        const candidates: Candidate[] = [];
        for (let row = 0; row < count; row++) {
          const { classes, first, at } = probabilities;
          const best = largest(classes, index => at(row, first + index));
          if (!(best.value >= threshold)) continue;
          candidates.push({
            box: boxAt(row),
            classIndex: best.index,
            score: best.value,
            tensor: scores.name,
            element: row * length + first + best.index,
          });
        }
        return candidates;
      },
    };
  },
};

const onlyOne = (found: readonly Output[]): Output | null =>
  found.length === 1 ? (found[0] ?? null) : null;

interface ScoreReader {
  /** Classes without background, and where the first of them stands. */
  readonly classes: number;
  readonly first: number;
  /** Probability. */
  at(row: number, column: number): number;
}

function scoreReader(values: Float64Array, count: number, length: number): ScoreReader {
  const value = (row: number, column: number): number => values[row * length + column] ?? NaN;
  const columns = [...Array(length).keys()];
  const rows = [...Array(count).keys()];
  const sumOf = (row: number): number => columns.reduce((sum, i) => sum + value(row, i), 0);
  if (values.every(isProbability)) {
    const isShared = length > 1 && rows.every(row => Math.abs(sumOf(row) - 1) < TOLERANCE);
    return { classes: isShared ? length - 1 : length, first: isShared ? 1 : 0, at: value };
  }
  // logits: where most queries say "no object", that is the last column
  const isEmpty = (row: number): boolean =>
    largest(length, i => value(row, i)).index === length - 1;
  const hasEmpty = length > 1 && rows.filter(isEmpty).length > count / 2;
  if (!hasEmpty)
    return {
      classes: length,
      first: 0,
      at: (row, column) => 1 / (1 + Math.exp(-value(row, column))),
    };
  const softmax = (row: number, column: number): number =>
    1 / columns.reduce((sum, i) => sum + Math.exp(value(row, i) - value(row, column)), 0);
  return { classes: length - 1, first: 0, at: softmax };
}

function boxReader(
  values: Float64Array,
  count: number,
  fed: FedSize,
): (row: number) => FractionBox {
  const unit = values.every(value => Math.abs(value) <= BEYOND) ? { width: 1, height: 1 } : fed;
  const box = (row: number): readonly [number, number, number, number] => {
    const [a = 0, b = 0, c = 0, d = 0] = values.subarray(row * 4, row * 4 + 4);
    return [a, b, c, d];
  };
  const ordered = [...Array(count).keys()].filter(row => {
    const [left, top, right, bottom] = box(row);
    return right >= left && bottom >= top;
  });
  const isCorners = ordered.length >= count * ORDERED_SHARE;
  return row => {
    const [a, b, c, d] = box(row);
    if (!isCorners) return centredBox(a, b, c, d, unit);
    return {
      left: a / unit.width,
      top: b / unit.height,
      right: c / unit.width,
      bottom: d / unit.height,
    };
  };
}
