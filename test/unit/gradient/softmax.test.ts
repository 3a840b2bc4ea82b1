import { describe, test } from 'vitest';
import { checkVjp } from './checkVjp';
import { attributesOf } from './attributes';

describe.each(['Softmax', 'LogSoftmax'])('%s', op => {
  test.each([
    [7, [2, 3, 4], {}],
    [7, [2, 3, 4], { axis: 2 }],
    [7, [2, 3], { axis: 0 }],
    [11, [2, 3, 4], { axis: -1 }],
    [12, [2, 3, 4], { axis: -2 }],
    [13, [2, 3, 4], {}],
    [13, [2, 3, 4], { axis: 1 }],
    [13, [5], { axis: 0 }],
    [22, [2, 3, 4], { axis: -3 }],
  ])('at opset %i of %j with %j', async (opset, shape, plain) => {
    const attributes = attributesOf(plain);
    await checkVjp(op, { opset, inputs: [{ shape, from: -2, to: 2 }], attributes });
    await checkVjp(op, { opset, inputs: [{ shape, dtype: 'float64' }], attributes });
  });
});
