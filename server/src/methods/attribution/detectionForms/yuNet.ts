import { centredBox, type Candidate, type DetectionForm } from './form';

const STRIDES = [8, 16, 32];

/**
 * YuNet (Wu et al. 2023, Machine Intelligence Research 20; decoded as OpenCV's `FaceDetectorYN` does): cls_S, obj_S [1, places, 1] and bbox_S [1, places, 4] for the strides 8, 16
 * and 32; score √(cls · obj); a box's centre is the place plus its offset, its size e^size, in strides.
 */
export const yuNet: DetectionForm = {
  recognise(outputs, fed) {
    const shapeOf = (name: string): readonly number[] =>
      outputs.find(output => output.name === name)?.shape ?? [];
    const columnsOf = (stride: number): number => Math.floor(fed.width / stride);
    const fits = STRIDES.every(stride => {
      const places = columnsOf(stride) * Math.floor(fed.height / stride);
      const has = (name: string, size: number): boolean => {
        const shape = shapeOf(`${name}_${stride}`);
        return shape.length === 3 && shape[1] === places && shape[2] === size;
      };
      return has('cls', 1) && has('obj', 1) && has('bbox', 4);
    });
    if (!fits) return null;
    const names = (stride: number): readonly string[] =>
      ['cls', 'obj', 'bbox'].map(part => `${part}_${stride}`);
    return {
      tensors: STRIDES.flatMap(names),
      read: (valuesOf, threshold) => {
        const candidates: Candidate[] = [];
        for (const stride of STRIDES) {
          const [cls, obj, boxes] = names(stride).map(valuesOf);
          for (const [place, value] of (cls ?? []).entries()) {
            const score = Math.sqrt(clamped(value) * clamped(obj?.[place] ?? 0));
            if (score < threshold) continue;
            const [x = 0, y = 0, width = 0, height = 0] =
              boxes?.subarray(place * 4, place * 4 + 4) ?? [];
            const column = place % columnsOf(stride);
            const row = Math.floor(place / columnsOf(stride));
            candidates.push({
              box: centredBox(
                (column + x) * stride,
                (row + y) * stride,
                Math.exp(width) * stride,
                Math.exp(height) * stride,
                fed,
              ),
              classIndex: 0,
              score,
              tensor: `cls_${stride}`,
              element: place,
            });
          }
        }
        return candidates;
      },
    };
  },
};

const clamped = (value: number): number => Math.min(1, Math.max(0, value));
