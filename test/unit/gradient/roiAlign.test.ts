import { describe, expect, test } from 'vitest';
import { attributesOf, type PlainAttribute } from './attributes';
import { checkVjp, type VjpCase, vjpErrors } from './checkVjp';

/** Regions x1, y1, x2, y2 in a map of 6 × 8: inside, reaching out, tiny, larger than the map, turned round. */
const REGIONS = [
  [0.7, 1.1, 5.3, 4.2],
  [-2.5, -1.7, 3.4, 9.6],
  [2.2, 3.1, 2.6, 3.3],
  [-3.1, -2.2, 10.4, 7.7],
  [4.3, 3.2, 2.1, 1.4],
];

type Plain = Readonly<Record<string, PlainAttribute>>;

const caseOf = (
  opset: number,
  attributes: Plain,
  dtype: 'float32' | 'float64' = 'float32',
): VjpCase => ({
  opset,
  inputs: [
    { shape: [2, 3, 6, 8], dtype },
    { shape: [5, 4], dtype, values: REGIONS.flat() },
    { shape: [5], dtype: 'int64', values: [0, 1, 1, 0, 1] },
  ],
  check: [0],
  attributes: attributesOf({ output_height: 3, output_width: 2, ...attributes }),
});

describe('RoiAlign', () => {
  test.each([
    [10, {}],
    [10, { sampling_ratio: 2, spatial_scale: 0.5 }],
    [16, {}],
    [16, { sampling_ratio: 3, coordinate_transformation_mode: 'output_half_pixel' }],
    [16, { output_height: 1, output_width: 1, spatial_scale: 0.75 }],
  ] as const)('at opset %i with %j', (opset, attributes) =>
    checkVjp('RoiAlign', caseOf(opset, attributes)),
  );
  test('in float64', () => checkVjp('RoiAlign', caseOf(16, {}, 'float64')));
  test('of largest values is refused', () =>
    expect(vjpErrors('RoiAlign', caseOf(16, { mode: 'max' }))).rejects.toThrow(
      /No gradient through RoiAlign/,
    ));
});

test('MaxRoiPool is refused', () =>
  expect(
    vjpErrors('MaxRoiPool', {
      opset: 7,
      inputs: [{ shape: [1, 2, 6, 8] }, { shape: [1, 5], values: [0, 0, 0, 4, 4] }],
      attributes: attributesOf({ pooled_shape: [2, 2] }),
      check: [0],
    }),
  ).rejects.toThrow(/No gradient through MaxRoiPool/));
