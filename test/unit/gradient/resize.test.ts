import { describe, expect, test } from 'vitest';
import { interpolationMatrix } from '../../../server/src/gradient/resizeMatrix';
import { attributesOf, type PlainAttribute } from './attributes';
import { checkVjp, type VjpCase } from './checkVjp';
import { runNode } from './runVjp';

type Plain = Readonly<Record<string, PlainAttribute>>;

const floats = (...values: number[]) => ({ shape: [values.length], values, constant: true });
const sizes = (...values: number[]) => ({ ...floats(...values), dtype: 'int64' as const });

const COORDINATES = [
  'half_pixel',
  'half_pixel_symmetric',
  'pytorch_half_pixel',
  'align_corners',
  'asymmetric',
  'tf_crop_and_resize',
];
const WAYS: readonly Plain[] = [
  { mode: 'nearest', nearest_mode: 'round_prefer_floor' },
  { mode: 'nearest', nearest_mode: 'round_prefer_ceil' },
  { mode: 'nearest', nearest_mode: 'floor' },
  { mode: 'nearest', nearest_mode: 'ceil' },
  { mode: 'linear' },
  { mode: 'cubic' },
  { mode: 'cubic', cubic_coeff_a: -0.5, exclude_outside: 1 },
  { mode: 'linear', antialias: 1 },
  { mode: 'linear', antialias: 1, exclude_outside: 1 },
  { mode: 'cubic', antialias: 1 },
  { mode: 'cubic', antialias: 1, cubic_coeff_a: -0.5, exclude_outside: 1 },
];
/** Lengths and scales: enlarged, shrunk, by halves, by numbers that float32 has not. */
const LENGTHS = [
  [5, 2],
  [7, 0.5],
  [6, 1.5],
  [9, 2.3],
  [10, 0.3],
  [3, 0.4],
  [4, 3],
  [1, 4],
] as const;

describe('the matrix of Resize is what ONNX Runtime computes', () => {
  test.each(WAYS.flatMap(way => COORDINATES.map(c => [way, c] as const)))(
    '%j, %s',
    async (way, c) => {
      for (const [input, scale] of LENGTHS) {
        const roi = [0.1, 0.9];
        const unit = Array.from({ length: input * input }, (_, i) =>
          i % (input + 1) === 0 ? 1 : 0,
        );
        const given: VjpCase = {
          opset: 19,
          inputs: [
            { shape: [input, 1, 1, input], values: unit },
            floats(0, 0, 0, roi[0] ?? 0, 1, 1, 1, roi[1] ?? 1),
            floats(1, 1, 1, scale),
          ],
          attributes: attributesOf({ ...way, coordinate_transformation_mode: c }),
        };
        const columns = await runNode('Resize', given);
        const output = columns.length / input;
        const matrix = interpolationMatrix(
          {
            input,
            output,
            scale: Math.fround(scale),
            roiStart: Math.fround(roi[0] ?? 0),
            roiEnd: Math.fround(roi[1] ?? 1),
          },
          {
            mode: String(way['mode']),
            coordinates: c,
            nearest: String(way['nearest_mode']),
            cubicA: Number(way['cubic_coeff_a'] ?? -0.75),
            excludeOutside: way['exclude_outside'] === 1,
            antialias: way['antialias'] === 1,
          },
        );
        const differences = Array.from(matrix.values, (value, at) =>
          Math.abs(value - (columns[(at % input) * output + Math.floor(at / input)] ?? NaN)),
        );
        // weights are sums and quotients of float32 numbers, positions up to 20
        expect(Math.max(...differences), `${input} × ${scale}`).toBeLessThan(1e-5);
      }
    },
  );
});

describe('gradients', () => {
  const x = { shape: [1, 2, 5, 4] };
  const cases: readonly (readonly [string, string, number, VjpCase['inputs'], Plain])[] = [
    ['scales as attribute', 'Upsample', 7, [x], { scales: { floats: [1, 1, 2, 3] } }],
    ['linear', 'Upsample', 7, [x], { scales: { floats: [1, 1, 1.5, 2] }, mode: 'linear' }],
    ['scales as input', 'Upsample', 9, [x, floats(1, 1, 2, 2)], {}],
    ['before version 11', 'Resize', 10, [x, floats(1, 1, 0.6, 2)], {}],
    ['linear before version 11', 'Resize', 10, [x, floats(1, 1, 0.6, 2)], { mode: 'linear' }],
    ['empty region', 'Resize', 11, [x, floats(), floats(1, 1, 2, 2)], {}],
    ['sizes', 'Resize', 13, [x, null, null, sizes(1, 2, 8, 3)], { mode: 'linear' }],
    ['same sizes', 'Resize', 13, [x, null, null, sizes(1, 2, 5, 4)], { mode: 'linear' }],
    [
      'channels last',
      'Resize',
      13,
      [{ shape: [1, 3, 4, 2] }, null, floats(1, 2, 1.5, 1)],
      { mode: 'linear' },
    ],
    ['along all axes', 'Resize', 13, [{ shape: [2, 3, 2] }, null, floats(2, 2, 3)], {}],
    ['of a vector', 'Resize', 13, [{ shape: [5] }, null, floats(1.7)], {}],
    ['of a matrix', 'Resize', 13, [{ shape: [5, 4] }, null, floats(1.7, 2)], { mode: 'cubic' }],
    [
      'volume',
      'Resize',
      13,
      [{ shape: [1, 2, 2, 3, 2] }, null, floats(1, 1, 2, 2, 1.5)],
      { mode: 'linear', coordinate_transformation_mode: 'align_corners' },
    ],
    [
      'crop',
      'Resize',
      13,
      [x, floats(0, 0, -0.2, 0.1, 1, 1, 0.8, 1.3), floats(1, 1, 2, 2)],
      {
        mode: 'linear',
        coordinate_transformation_mode: 'tf_crop_and_resize',
        extrapolation_value: 3.5,
      },
    ],
    ['axes', 'Resize', 18, [x, null, floats(2, 0.5)], { axes: [3, 2], mode: 'linear' }],
    [
      'not larger',
      'Resize',
      18,
      [x, null, null, sizes(9, 6)],
      { axes: [2, 3], keep_aspect_ratio_policy: 'not_larger', mode: 'linear' },
    ],
    [
      'not smaller, antialiased',
      'Resize',
      19,
      [x, null, null, sizes(2, 3)],
      { axes: [2, 3], keep_aspect_ratio_policy: 'not_smaller', mode: 'cubic', antialias: 1 },
    ],
    [
      'blocks on a large map',
      'Resize',
      19,
      [{ shape: [1, 1, 8, 9] }, null, floats(1, 1, 4, 2)],
      { coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' },
    ],
  ];
  test.each(cases)('%s: %s %i', (_, op, opset, inputs, attributes) =>
    checkVjp(op, { opset, inputs, attributes: attributesOf(attributes), check: [0] }),
  );
});
