import type { Dimension } from '../../../../protocol/model';
import type { Node } from '../graph';

/** First and last index along one axis, both included; null: all of it. First after last: nothing. */
export interface Interval {
  readonly first: number;
  readonly last: number;
  /** For an axis that a Reshape made of several: the part of each of them, which the interval as a whole only bounds. */
  readonly factors?: Factors;
}

interface Factors {
  readonly lengths: readonly number[];
  readonly parts: Region;
}
export type AxisInterval = Interval | null;

/** Which part of a tensor is looked at, axis by axis. */
export type Region = readonly AxisInterval[];

/** What a rule can ask about the graph around a node. */
export interface FieldContext {
  readonly version: number;
  shape(name: string): readonly Dimension[] | null;
  /** Elements of a constant; null where the name is none. */
  constant(name: string): readonly number[] | null;
}

/** From the part of an output that is looked at to the part of each input that it is made from; null: nothing of that input. */
export type FieldRule = (
  node: Node,
  region: Region,
  context: FieldContext,
  output: number,
) => readonly (Region | null)[];

/** From first to last, both included. */
export const interval = (first: number, last: number): Interval => ({ first, last });

export const isEmpty = (region: Region): boolean =>
  region.some(part => part !== null && part.first > part.last);

/** The smallest part that holds both. */
export const hull = (a: Region, b: Region): Region =>
  a.map((part, axis) => {
    const other = b[axis] ?? null;
    if (part === null || other === null) return null;
    const both = interval(Math.min(part.first, other.first), Math.max(part.last, other.last));
    const [one, two] = [part.factors, other.factors];
    const same = one !== undefined && two !== undefined && sameLengths(one.lengths, two.lengths);
    return same
      ? { ...both, factors: { lengths: one.lengths, parts: hull(one.parts, two.parts) } }
      : both;
  });

export const sameLengths = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((length, axis) => length === b[axis]);

/** An attribute of a node, or its default. */
export const int = (node: Node, name: string, otherwise: number): number => {
  const attribute = node.attributes.get(name);
  return attribute?.kind === 'int' ? attribute.value : otherwise;
};
export const ints = (node: Node, name: string): readonly number[] | null => {
  const attribute = node.attributes.get(name);
  return attribute?.kind === 'ints' ? attribute.value : null;
};
export const text = (node: Node, name: string, otherwise: string): string => {
  const attribute = node.attributes.get(name);
  return attribute?.kind === 'string' ? attribute.value : otherwise;
};
/** All of a tensor of this rank. */
export const everything = (rank: number): Region => new Array<AxisInterval>(rank).fill(null);
export const rankOf = (node: Node, index: number, context: FieldContext): number =>
  context.shape(node.inputs[index] ?? '')?.length ?? 0;
/** The length of one axis of an input; null where it is not known. */
export const lengthOf = (
  node: Node,
  index: number,
  axis: number,
  context: FieldContext,
): number | null => {
  const length = context.shape(node.inputs[index] ?? '')?.[axis];
  return typeof length === 'number' ? length : null;
};

/** All of every input: what mixes positions in a way that is not followed. */
export const whole: FieldRule = (node, _region, context) =>
  node.inputs.map((_, index) => everything(rankOf(node, index, context)));
