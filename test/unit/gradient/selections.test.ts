import { describe, expect, test } from 'vitest';
import { attributesOf } from './attributes';
import { checkVjp, vjpErrors, type CaseTensor } from './checkVjp';

const ints = (values: readonly number[], dtype: CaseTensor['dtype'] = 'int64'): CaseTensor => ({
  shape: [values.length],
  dtype,
  values,
});

describe.each([9, 11, 13])('Compress at opset %i', opset => {
  test.each([
    [1, [1, 0, 1, 1, 0]],
    [-2, [0, 1]],
    [0, [0, 0, 0]],
    [null, [1, 1, 0, 0, 0, 1, 0, 1]],
    [null, [0]],
  ])('along %j where %j', (axis, condition) =>
    checkVjp('Compress', {
      opset,
      inputs: [{ shape: [3, 5] }, ints(condition, 'bool')],
      attributes: attributesOf(
        axis === null ? {} : { axis: opset < 11 && axis < 0 ? axis + 2 : axis },
      ),
    }),
  );
});

describe.each([9, 11])('OneHot at opset %i', opset => {
  test.each([
    [-1, [2], [1, 3]],
    [0, [2, 2], [0, 0, 3, 1]],
    [1, [3], [2, 2, 2]],
  ])('along %i of %j, %j', (axis, shape, values) =>
    checkVjp('OneHot', {
      opset,
      inputs: [
        {
          shape,
          dtype: 'int64',
          values: opset < 11 ? values : values.map(i => (i === 3 ? -1 : i)),
        },
        { shape: [], dtype: 'int64', values: [4] },
        { shape: [2] },
      ],
      attributes: attributesOf({ axis }),
    }),
  );
});

describe('ReverseSequence', () => {
  test.each([
    [{ time_axis: 0, batch_axis: 1 }, [4, 1, 3]],
    [{ time_axis: 1, batch_axis: 0 }, [1, 3, 2, 3]],
  ])('with %j', (attributes, lengths) =>
    checkVjp('ReverseSequence', {
      opset: 10,
      inputs: [{ shape: [4, 3, 2] }, ints(lengths)],
      attributes: attributesOf(attributes),
    }),
  );
});

test.each([
  [1, 7, 1.7],
  [2, -3, -1.3],
])('Range from %d to %d by %d', (start, limit, delta) =>
  checkVjp('Range', {
    opset: 11,
    inputs: [start, limit, delta].map(value => ({ shape: [], values: [value] })),
    check: [0, 2],
  }),
);

describe('Unique', () => {
  test.each([
    [{}, [4]],
    [{ sorted: 0 }, [2, 3]],
    [{ axis: 1 }, [2, 3]],
    [{ axis: -2, sorted: 0 }, [3, 2]],
  ])('with %j of %j', (attributes, shape) =>
    checkVjp('Unique', {
      opset: 11,
      inputs: [{ shape, from: -10, to: 10 }],
      outputs: 4,
      attributes: attributesOf(attributes),
    }),
  );
  test('without its further outputs it is refused', () =>
    expect(vjpErrors('Unique', { opset: 11, inputs: [{ shape: [3] }] })).rejects.toThrow(
      /inverse indices and counts/,
    ));
});
