import { agreedShape, type Shape } from '../dimensions';
import { type NodeView, type Rule, tensor, type Value } from '../rule';

/** What two values have in common: both could be the result. */
function either(a: Value | null, b: Value | null): Value | null {
  if (a === null || b === null || a.container !== b.container) return null;
  const dtype = a.dtype === b.dtype ? a.dtype : 'undefined';
  const merged = tensor(dtype, agreedShape(a.shape, b.shape));
  return a.container === undefined ? merged : { ...merged, container: a.container };
}

/** If: the branch that the condition picks where it is known, else what both branches agree on. */
export const conditional: Rule = node => {
  const condition = node.elements(0)?.[0];
  const then = node.context.inferSubgraph('then_branch', []);
  const otherwise = node.context.inferSubgraph('else_branch', []);
  if (typeof condition === 'number') return (condition === 0 ? otherwise : then) ?? [];
  return (then ?? []).map((value, index) => either(value, otherwise?.[index] ?? null));
};

const typeOnly = (value: Value | null): Value | null =>
  value === null ? null : tensor(value.dtype, null);

/** The state after a loop: its start where nothing ran, else what the body gives. */
const states = (
  node: NodeView,
  first: number,
  count: number,
  body: readonly (Value | null)[],
  offset: number,
) =>
  Array.from({ length: count }, (_, index) =>
    either(node.input(first + index), body[offset + index] ?? null),
  );

const stacked = (value: Value | null, length: Shape): Value | null =>
  value === null
    ? null
    : tensor(value.dtype, value.shape === null ? null : [...length, ...value.shape]);

/** Loop: states of any shape go around the body; what it scans out is stacked in front, as often as it ran. */
export const loop: Rule = node => {
  const count = Math.max(0, node.inputCount - 2);
  const carried = Array.from({ length: count }, (_, index) => typeOnly(node.input(index + 2)));
  const body =
    node.context.inferSubgraph('body', [tensor('int64', []), tensor('bool', []), ...carried]) ?? [];
  return [
    ...states(node, 2, count, body, 1),
    ...body.slice(1 + count).map(value => stacked(value, [null])),
  ];
};

/** Scan (since version 9): axis 0 unless the axes are given, where the shapes are left open. */
export const scan: Rule = node => {
  const scans = Math.max(0, node.int('num_scan_inputs', 0));
  const count = Math.max(0, node.inputCount - scans);
  const moved = (name: string) => node.ints(name)?.some(axis => axis !== 0) === true;
  const slices = Array.from({ length: Math.min(scans, node.inputCount) }, (_, index) => {
    const value = node.input(count + index);
    return value === null
      ? null
      : tensor(value.dtype, moved('scan_input_axes') ? null : (value.shape?.slice(1) ?? null));
  });
  const carried = Array.from({ length: count }, (_, index) => typeOnly(node.input(index)));
  if (node.version < 9) return [];
  const body = node.context.inferSubgraph('body', [...carried, ...slices]) ?? [];
  const length = moved('scan_input_axes') ? null : node.sizeAt(count, 0);
  return [
    ...states(node, 0, count, body, 0),
    ...body
      .slice(count)
      .map(value => (moved('scan_output_axes') ? typeOnly(value) : stacked(value, [length]))),
  ];
};
