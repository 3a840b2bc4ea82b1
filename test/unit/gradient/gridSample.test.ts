import { describe, test } from 'vitest';
import { attributesOf } from './attributes';
import { checkVjp } from './checkVjp';

/** Points of which no coordinate lies at or between elements where the derivative jumps, nor steps across such a place. */
function grid(
  lengths: readonly number[],
  points: readonly number[],
  alignCorners: boolean,
): number[] {
  const values: number[] = [];
  const count = points.reduce((a, b) => a * b, 1);
  for (let p = 0; p < count; p++)
    for (const [k, length] of lengths.toReversed().entries()) {
      // from one element and a quarter before the first to as far behind the last, always a quarter or more from centres and halves
      const element = -1.5 + ((p * 7 + k * 3) % (2 * length + 4)) / 2;
      const at = Math.floor(element) + (element % 1 === 0 ? 0.25 : 0.75);
      values.push(alignCorners ? (2 * at) / (length - 1) - 1 : (2 * at + 1) / length - 1);
    }
  return values;
}

const PLANE = { lengths: [4, 5], points: [3, 4] };
const VOLUME = { lengths: [3, 4, 2], points: [2, 3, 2] };

const CASES = [
  [16, 'bilinear', PLANE],
  [16, 'nearest', PLANE],
  [16, 'bicubic', PLANE],
  [20, 'linear', PLANE],
  [20, 'linear', VOLUME],
  [22, 'nearest', VOLUME],
] as const;

describe.each(CASES)('GridSample at opset %i, %s, of %j', (opset, mode, { lengths, points }) => {
  test.each(['zeros', 'border', 'reflection'])('padded with %s', async padding => {
    for (const align of [0, 1]) {
      const values = [0, 1].flatMap(() => grid(lengths, points, align === 1));
      await checkVjp('GridSample', {
        opset,
        inputs: [{ shape: [2, 3, ...lengths] }, { shape: [2, ...points, lengths.length], values }],
        check: mode === 'nearest' ? [0] : [0, 1],
        attributes: attributesOf({ mode, padding_mode: padding, align_corners: align }),
      });
    }
  });
});

test('GridSample with its defaults, in float64', () =>
  checkVjp('GridSample', {
    opset: 20,
    inputs: [
      { shape: [1, 2, 4, 5], dtype: 'float64' },
      { shape: [1, 3, 4, 2], dtype: 'float64', values: grid([4, 5], [3, 4], false) },
    ],
  }));
