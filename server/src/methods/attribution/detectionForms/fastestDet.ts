import { centredBox, isProbability, largest, type Candidate, type DetectionForm } from './form';

const STRIDE = 16;
/** Of a sum of probabilities. */
const TOLERANCE = 1e-3;

/**
 * FastestDet (its repository's `runtime.py`): one map [1, 5 + C, H / 16, W / 16] with whether there is an object, offsets and sizes of a box, and class probabilities that add up to 1. Centre = place + tanh(offset), in
 * places; size = sigmoid(size), of the picture; score = object · class.
 */
export const fastestDet: DetectionForm = {
  recognise(outputs, fed) {
    const [only] = outputs;
    if (!only || outputs.length !== 1 || only.shape.length !== 4) return null;
    const [, channels = 0, rows = 0, columns = 0] = only.shape;
    const classes = channels - 5;
    if (classes < 2 || rows * STRIDE !== fed.height || columns * STRIDE !== fed.width) return null;
    const places = rows * columns;
    return {
      tensors: [only.name],
      read: (valuesOf, threshold) => {
        const values = valuesOf(only.name);
        const candidates: Candidate[] = [];
        for (let place = 0; place < places; place++) {
          const at = (channel: number): number => values[channel * places + place] ?? NaN;
          let sum = 0;
          for (let index = 0; index < classes; index++) sum += at(5 + index);
          if (!isProbability(at(0)) || !(Math.abs(sum - 1) < TOLERANCE)) return null;
          const best = largest(classes, index => at(5 + index));
          const score = at(0) * best.value;
          if (score < threshold) continue;
          candidates.push({
            box: centredBox(
              ((place % columns) + Math.tanh(at(1))) / columns,
              (Math.floor(place / columns) + Math.tanh(at(2))) / rows,
              sigmoid(at(3)),
              sigmoid(at(4)),
              { width: 1, height: 1 },
            ),
            classIndex: best.index,
            score,
            tensor: only.name,
            element: (5 + best.index) * places + place,
          });
        }
        return candidates;
      },
    };
  },
};

const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value));
