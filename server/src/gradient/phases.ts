import type { Operators } from './operators';
import type { Value } from './value';

/**
 * The elements along an axis dealt out: every `count`th one, from 0, 1, … count − 1 on. The axis is a multiple of `count` long. ONNX Runtime
 * splits much faster than it slices with a step, and transposes much faster than it splits single elements.
 */
export function deal(e: Operators, a: Value, axis: number, count: number): readonly Value[] {
  if (count === 1) return [a];
  const shape = a.shape.with(axis, (a.shape[axis] ?? 0) / count);
  const steps = a.shape.toSpliced(axis, 1, shape[axis] ?? 0, count);
  const { axis: at, value } = outwards(e, e.reshape(a, steps), axis + 1);
  return e.split(value, count, at).map(part => e.reshape(part, shape));
}

/** Undoes `deal`. */
export function collect(e: Operators, parts: readonly Value[], axis: number): Value {
  const [first] = parts;
  if (!first || parts.length === 1) return e.concat(parts, axis);
  const whole = first.shape.with(axis, (first.shape[axis] ?? 0) * parts.length);
  const isLast = axis === first.shape.length - 1;
  const at = isLast ? 0 : axis + 1;
  const joined = e.concat(
    parts.map(part => e.reshape(part, first.shape.toSpliced(at, 0, 1))),
    at,
  );
  if (!isLast) return e.reshape(joined, whole);
  const rank = joined.shape.length;
  return e.reshape(
    e.transpose(joined, [...Array(rank - 1).keys()].map(i => i + 1).concat(0)),
    whole,
  );
}

/** An axis of single elements, the last one, is moved to the front. */
function outwards(
  e: Operators,
  a: Value,
  axis: number,
): { readonly value: Value; readonly axis: number } {
  if (axis < a.shape.length - 1) return { value: a, axis };
  return { value: e.transpose(a, [axis, ...Array(axis).keys()]), axis: 0 };
}
