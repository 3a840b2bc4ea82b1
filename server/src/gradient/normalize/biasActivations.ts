import type { Operators } from '../operators';
import type { Value } from '../value';
import type { Rewrite } from './rewrite';

/** com.microsoft.BiasGelu: Gelu(a + b). */
export const biasGelu: Rewrite = {
  ops: ['com.microsoft.BiasGelu'],
  write: (n, e) => [gelu(e, e.add(n.x(0), n.x(1)))],
};

/** com.microsoft.BiasAdd: x + bias + skip. */
export const biasAdd: Rewrite = {
  ops: ['com.microsoft.BiasAdd'],
  write: (n, e) => [e.add(e.add(n.x(0), n.x(1)), n.x(2))],
};

/** com.microsoft.BiasSplitGelu: of x + bias, [batch, S, 2 · width], the first half times the Gelu of the second. */
export const biasSplitGelu: Rewrite = {
  ops: ['com.microsoft.BiasSplitGelu'],
  write: (n, e) => {
    const sum = e.add(n.x(0), n.x(1));
    const axis = sum.shape.length - 1;
    const width = (sum.shape[axis] ?? 0) / 2;
    const left = e.slice(sum, [0], [width], [axis]);
    const right = e.slice(sum, [width], [2 * width], [axis]);
    return [e.mul(left, gelu(e, right))];
  },
};

const gelu = (e: Operators, x: Value): Value => e.node('Gelu', [x], {}, 'com.microsoft');
