import type { Operators } from './operators';
import type { Value } from './value';

/**
 * The elements along an axis dealt out: every `count`th one, from 0, 1, … count − 1 on. The axis is a multiple of `count` long. ONNX Runtime
 * splits much faster than it slices with a step.
 */
export function deal(e: Operators, a: Value, axis: number, count: number): readonly Value[] {
  if (count === 1) return [a];
  const shape = a.shape.with(axis, (a.shape[axis] ?? 0) / count);
  const steps = e.reshape(a, shape.toSpliced(axis + 1, 0, count));
  return e.split(steps, count, axis + 1).map(part => e.reshape(part, shape));
}

/** Undoes `deal`. */
export function collect(e: Operators, parts: readonly Value[], axis: number): Value {
  const [first] = parts;
  if (!first || parts.length === 1) return e.concat(parts, axis);
  const shape = first.shape.toSpliced(axis + 1, 0, 1);
  const whole = e.concat(
    parts.map(part => e.reshape(part, shape)),
    axis + 1,
  );
  return e.reshape(whole, first.shape.with(axis, (first.shape[axis] ?? 0) * parts.length));
}
