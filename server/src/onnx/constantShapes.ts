import { UserError } from '../../../protocol/errors';
import type { Arithmetic } from './constantOps';
import type { Node, TensorRef } from './graph';
import { elementCount } from './tensor';

/** What the attributes of the operators behind a weight say, and the shapes that follow (ONNX operator specification). */

export const isArithmetic = (op: string): op is Arithmetic =>
  op === 'Add' || op === 'Sub' || op === 'Mul' || op === 'Div';

export function intAttribute(node: Node, name: string, absent: number): number {
  const attribute = node.attributes.get(name);
  return attribute?.kind === 'int' ? attribute.value : absent;
}

export function intsAttribute(node: Node, name: string): readonly number[] | null {
  const attribute = node.attributes.get(name);
  return attribute?.kind === 'ints' ? attribute.value : null;
}

export function tensorAttribute(node: Node, name: string): TensorRef | null {
  const attribute = node.attributes.get(name);
  return attribute?.kind === 'tensor' ? attribute.value : null;
}

/** The permutation of a Transpose, reversed where none is given; null where it is none. */
export function permutationOf(node: Node, shape: readonly number[]): readonly number[] | null {
  const axes = intsAttribute(node, 'perm') ?? shape.map((_, axis) => shape.length - 1 - axis);
  const sorted = [...axes].sort((a, b) => a - b);
  return axes.length === shape.length && sorted.every((axis, index) => axis === index)
    ? axes
    : null;
}

export const misfit = (node: Node): UserError =>
  new UserError(
    'brokenModel',
    `The constant ${node.outputs[0] ?? ''} can't be computed: its ${node.op} does not fit the shape it is given.`,
  );

/** The shape after Reshape: 0 keeps a size unless `allowZero`, -1 takes what is left. */
export function reshaped(
  shape: readonly number[],
  wanted: readonly number[],
  allowZero: boolean,
): number[] {
  const known = wanted.map((size, axis) => (size === 0 && !allowZero ? (shape[axis] ?? 0) : size));
  const rest = elementCount(known.filter(size => size !== -1));
  const total = elementCount(shape);
  return known.map(size => (size === -1 ? (rest === 0 ? 0 : total / rest) : size));
}

export function flattened(shape: readonly number[], axis: number): number[] {
  const at = axis < 0 ? axis + shape.length : axis;
  return [elementCount(shape.slice(0, at)), elementCount(shape.slice(at))];
}

/** The shape after Squeeze; without axes every size of 1 goes. */
export function squeezed(shape: readonly number[], axes: readonly number[] | null): number[] {
  const gone = new Set(axes?.map(axis => (axis < 0 ? axis + shape.length : axis)));
  return shape.filter((size, axis) => (axes ? !gone.has(axis) : size !== 1));
}

export function unsqueezed(shape: readonly number[], axes: readonly number[]): number[] {
  const rank = shape.length + axes.length;
  const added = new Set(axes.map(axis => (axis < 0 ? axis + rank : axis)));
  const rest = [...shape];
  return Array.from({ length: rank }, (_, axis) => (added.has(axis) ? 1 : (rest.shift() ?? 1)));
}
