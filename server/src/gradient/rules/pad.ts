import { axesOf } from '../../onnx/shapes/dimensions';
import { placeAlong } from '../indexing';
import type { Operators } from '../operators';
import type { Rule, RuleNode } from '../rule';
import type { Value } from '../value';

/**
 * Entries in front and behind, negative amounts cut off: an attribute before version 11, input 1 since, on the axes of input 3 (18).
 * `constant` has a gradient of its value (input 2) too; `reflect`, `edge` and `wrap` (19) repeat entries, whose gradients are added.
 */
export const pad: Rule = {
  ops: ['Pad'],
  known: [1, 3],
  vjp: (n, e) => {
    const amounts = amountsOf(n);
    if (n.string('mode', 'constant') !== 'constant') return [() => folded(n, e, amounts)];
    const { begins, ends } = amounts;
    return [() => e.pad(n.dy, negative(begins), negative(ends)), null, () => border(n, e, amounts)];
  },
};

/** For each axis of the input. */
interface Amounts {
  readonly begins: readonly number[];
  readonly ends: readonly number[];
}

function amountsOf(n: RuleNode): Amounts {
  const { shape } = n.x();
  const amounts = n.intsOrInput('pads', 1) ?? [];
  const axes = axesOf(n.intsOrInput('axes', 3) ?? shape.map((_, axis) => axis), shape.length) ?? [];
  const at = (axis: number, offset: number): number => {
    const index = axes.indexOf(axis);
    return index < 0 ? 0 : (amounts[index + offset] ?? 0);
  };
  return {
    begins: shape.map((_, axis) => at(axis, 0)),
    ends: shape.map((_, axis) => at(axis, axes.length)),
  };
}

const negative = (amounts: readonly number[]): number[] => amounts.map(amount => 0 - amount);

/** Σ g over what was filled in. */
function border(n: RuleNode, e: Operators, { begins, ends }: Amounts): Value {
  const inside = e.zeros(n.x());
  const all = n.dy.shape.map((_, axis) => axis);
  const filled = e.mul(n.dy, e.pad(inside, begins, ends, 1));
  return e.reshape(e.reduceSum(filled, all), n.x(2).shape);
}

/** The axes are filled one after the other, so they are folded back one after the other. */
function folded(n: RuleNode, e: Operators, { begins, ends }: Amounts): Value {
  const mode = n.string('mode', 'constant');
  return n.x().shape.reduce((g, size, axis) => {
    const [before = 0, after = 0] = [begins[axis], ends[axis]];
    if (before === 0 && after === 0) return g;
    return placeAlong(n, e, g, axis, sources(n, mode, size, before, after), size);
  }, n.dy);
}

/** The entry that each of the padded axis repeats. What is cut off is no part of what is repeated. */
function sources(n: RuleNode, mode: string, size: number, before: number, after: number): number[] {
  const first = Math.max(0, -before);
  const kept = size - first - Math.max(0, -after);
  const length = Math.max(0, before) + kept + Math.max(0, after);
  return Array.from({ length }, (_, i) => {
    const at = i - Math.max(0, before);
    return first + repeated(n, mode, at, kept);
  });
}

/** The entry 0 … size − 1 that stands for position `at`, which may lie outside. */
function repeated(n: RuleNode, mode: string, at: number, size: number): number {
  switch (mode) {
    case 'edge':
      return Math.min(Math.max(at, 0), size - 1);
    case 'wrap':
      return modulo(at, size);
    case 'reflect': {
      const there = modulo(at, Math.max(1, 2 * size - 2));
      return Math.min(there, 2 * size - 2 - there);
    }
    default:
      return n.refuse(`it pads by the mode "${mode}"`);
  }
}

const modulo = (a: number, b: number): number => ((a % b) + b) % b;
