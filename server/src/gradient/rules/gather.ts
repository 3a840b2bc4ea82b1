import { addAlong, addToRows, placeAlong } from '../indexing';
import { axisFrom0, split3, type Operators } from '../operators';
import type { Rule, RuleNode } from '../rule';
import type { Value } from '../value';

/** Slices of an axis by index, in the indices' shape; negative indices count from the end. Slices that are read several times get the sum. */
export const gather: Rule = {
  ops: ['Gather'],
  vjp: (n, e) => [() => gathered(n, e)],
};

function gathered(n: RuleNode, e: Operators): Value {
  const { shape } = n.x();
  const axis = axisFrom0(n.int('axis', 0), shape.length);
  const { outer, size, inner } = split3(shape, axis);
  const indices = n.x(1);
  const count = product(indices.shape);
  if (count === 0) return e.zeros(n.x());
  const numbers = n.numbers(1);
  if (numbers) {
    const flat = e.reshape(n.dy, shape.toSpliced(axis, 1, count));
    const rows = numbers.map(index => axisFrom0(index, size));
    return placeAlong(n, e, flat, axis, rows, size);
  }
  const flat = e.reshape(n.dy, [outer, count, inner]);
  return e.reshape(addToRows(n, e, flat, e.reshape(indices, [count]), size), shape);
}

/** Single elements along an axis by index. */
export const gatherElements: Rule = {
  ops: ['GatherElements'],
  vjp: (n, e) => [
    () => {
      const { shape } = n.x();
      const axis = axisFrom0(n.int('axis', 0), shape.length);
      if (n.dy.shape.includes(0)) return e.zeros(n.x());
      return addAlong(n, e, n.dy, n.x(1), axis, shape);
    },
  ],
};

/** Entries of the last axis by index (ai.onnx.ml); a vector counts as one row. */
export const arrayFeatureExtractor: Rule = {
  ops: ['ai.onnx.ml.ArrayFeatureExtractor'],
  vjp: (n, e) => [
    () => {
      const { shape } = n.x();
      const size = shape.at(-1) ?? 1;
      const [outer, count] = [product(shape.slice(0, -1)), product(n.x(1).shape)];
      const flat = e.reshape(n.dy, [outer, count, 1]);
      const rows = e.reshape(n.x(1), [count]);
      return e.reshape(addToRows(n, e, flat, rows, size), shape);
    },
  ],
};

const product = (sizes: readonly number[]): number => sizes.reduce((a, b) => a * b, 1);
