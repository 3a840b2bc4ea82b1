import { axisFrom0, type Operators } from '../operators';
import type { Rule, RuleNode } from '../rule';
import type { Value } from '../value';

/**
 * Slices along an axis, or elements, where a condition holds. The n-th true one is the n-th slice of the output, so a running count of the condition
 * says which gradient each slice gets.
 */
export const compress: Rule = {
  ops: ['Compress'],
  vjp: (n, e) => [
    () => {
      const { shape } = n.x();
      if (n.dy.shape.includes(0)) return e.zeros(n.x());
      if (n.hasAttribute('axis')) {
        const axis = axisFrom0(n.int('axis', 0), shape.length);
        return chosen(n, e, n.dy, axis, shape[axis] ?? 1);
      }
      const count = shape.reduce((a, b) => a * b, 1);
      return e.reshape(chosen(n, e, n.dy, 0, count), shape);
    },
  ],
};

/** Conditions from opset 11 on, or up to this length: before, the count is a product with a triangular matrix. */
const LONGEST = 4096;

function chosen(n: RuleNode, e: Operators, g: Value, axis: number, size: number): Value {
  const length = Math.min(size, n.x(1).shape[0] ?? 0);
  const condition = e.slice(n.x(1), [0], [length], [0]);
  const given = e.cast(condition, g.dtype);
  const first = e.offset(runningCount(n, e, given), -1);
  const index = e.cast(e.node('Relu', [first]), 'int64');
  const inFront = e.node('Gather', [g, index], { axis });
  const along = g.shape.map((_, i) => (i === axis ? length : 1));
  const kept = e.mul(inFront, e.reshape(given, along));
  const ends = g.shape.map((_, i) => (i === axis ? size - length : 0));
  return e.pad(
    kept,
    ends.map(() => 0),
    ends,
  );
}

function runningCount(n: RuleNode, e: Operators, given: Value): Value {
  const length = given.shape[0] ?? 0;
  if (e.opset >= 11) return e.node('CumSum', [given, e.ints([0], [])]);
  if (length > LONGEST) n.refuse(`its condition of ${length} elements is too long before opset 11`);
  const triangle = new Float64Array(length * length);
  for (let row = 0; row < length; row++) triangle.fill(1, row * length, row * length + row + 1);
  const counted = e.matMul(
    e.floats(given.dtype, [length, length], triangle),
    e.reshape(given, [length, 1]),
  );
  return e.reshape(counted, [length]);
}
