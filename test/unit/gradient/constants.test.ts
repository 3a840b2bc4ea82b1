import { expect, test } from 'vitest';
import { vjpErrors } from './checkVjp';

test.each(['Floor', 'Ceil', 'Round', 'Sign', 'Hardmax'])(
  '%s has no gradient and is no obstacle',
  op =>
    expect(vjpErrors(op, { opset: 13, inputs: [{ shape: [2, 3] }] })).rejects.toThrow(
      `no gradient for an input of ${op}`,
    ),
);
