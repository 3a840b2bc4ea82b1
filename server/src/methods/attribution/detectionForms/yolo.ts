import {
  centredBox,
  isProbability,
  largest,
  placesOf,
  type Candidate,
  type DetectionForm,
  type FedSize,
  type Output,
} from './form';

const STRIDES = [8, 16, 32];
/** The larger "P6" networks have one scale more. */
const SCALES = [STRIDES, [...STRIDES, 64]];
const ANCHORS = 3;
/** Channels of the mask prototypes that stand behind the classes of segmenting networks. */
const MOST_PROTOTYPES = 64;

/** Places of the usual scales, as one of the sizes of an output. */
const isPlaces = (count: number, fed: FedSize, anchors: number): boolean =>
  SCALES.some(strides => count > 0 && count === anchors * placesOf(fed, strides));

/** How many values behind the classes belong to masks: as many as there are prototypes, [1, P, h, w]. */
function maskValues(outputs: readonly Output[]): number {
  const prototypes = outputs.find(
    ({ shape }) => shape.length === 4 && (shape[1] ?? 0) <= MOST_PROTOTYPES,
  );
  return outputs.length > 1 ? (prototypes?.shape[1] ?? 0) : 0;
}

/** YOLOv8 to v11 and their kin: [1, 4 + C, places], centre, width and height in fed pixels, then class probabilities. */
export const yoloColumns: DetectionForm = {
  recognise(outputs, fed) {
    const found = outputs.find(
      ({ shape }) => shape.length === 3 && (shape[1] ?? 0) >= 5 && isPlaces(shape[2] ?? 0, fed, 1),
    );
    if (!found) return null;
    const [, rows = 0, count = 0] = found.shape;
    const classes = rows - 4 - maskValues(outputs);
    if (classes < 1) return null;
    return {
      tensors: [found.name],
      read: (valuesOf, threshold) => {
        const values = valuesOf(found.name);
        const at = (row: number, place: number): number => values[row * count + place] ?? NaN;
        const scores = values.subarray(4 * count, (4 + classes) * count);
        if (!scores.every(isProbability)) return null;
        const candidates: Candidate[] = [];
        for (let place = 0; place < count; place++) {
          const best = largest(classes, index => at(4 + index, place));
          if (best.value < threshold) continue;
          candidates.push({
            box: centredBox(at(0, place), at(1, place), at(2, place), at(3, place), fed),
            classIndex: best.index,
            score: best.value,
            tensor: found.name,
            element: (4 + best.index) * count + place,
          });
        }
        return candidates;
      },
    };
  },
};

/**
 * YOLOv5 and v7, [1, 3 · places, 5 + C], and v6, [1, places, 5 + C]: centre, width and height in fed pixels, whether there is an object, class
 * probabilities; the score is the product of the two.
 */
export const yoloRows: DetectionForm = {
  recognise(outputs, fed) {
    const found = outputs.find(
      ({ shape }) =>
        shape.length === 3 &&
        (shape[2] ?? 0) >= 6 &&
        [1, ANCHORS].some(anchors => isPlaces(shape[1] ?? 0, fed, anchors)),
    );
    if (!found) return null;
    const [, count = 0, length = 0] = found.shape;
    const classes = length - 5 - maskValues(outputs);
    if (classes < 1) return null;
    const isSingle = isPlaces(count, fed, 1);
    return {
      tensors: [found.name],
      read: (valuesOf, threshold) => {
        const values = valuesOf(found.name);
        const at = (place: number, part: number): number => values[place * length + part] ?? NaN;
        const candidates: Candidate[] = [];
        let farthest = 0;
        for (let place = 0; place < count; place++) {
          farthest = Math.max(farthest, at(place, 0));
          const best = largest(classes, index => at(place, 5 + index));
          if (!isProbability(best.value) || !isProbability(at(place, 4))) return null;
          // v6 has no such value and gives 1; others with one box for each place may have a class there
          if (isSingle && at(place, 4) !== 1) return null;
          const score = best.value * at(place, 4);
          if (score < threshold) continue;
          candidates.push({
            box: centredBox(at(place, 0), at(place, 1), at(place, 2), at(place, 3), fed),
            classIndex: best.index,
            score,
            tensor: found.name,
            // of a single class the network learns nothing: whether there is an object is its score
            element: place * length + (classes === 1 ? 4 : 5 + best.index),
          });
        }
        // centres of all places cover the picture, or they are offsets that are still to be decoded
        return farthest > fed.width / 2 ? candidates : null;
      },
    };
  },
};
