import type { DataType, Dimension } from '../../../../protocol/model';
import { AttributeReader } from '../attributeReader';
import type { Node, TensorRef } from '../graph';
import { knownCount, MAX_RANK, type Shape, size } from './dimensions';

/** Elements of a small tensor in C order: numbers, sizes known by name only, or null. bool is 0 and 1. */
export type Elements = readonly Dimension[];

/** Tensors with more elements are not followed by value. */
export const MAX_ELEMENTS = 1024;

/** What is known of one value while shapes are inferred. */
export interface Value {
  readonly dtype: DataType;
  readonly shape: Shape | null;
  readonly container?: 'sequence' | 'map' | 'optional' | 'sparse';
  /** The elements, where they follow from constants and sizes. */
  readonly elements: Elements | null;
  /** The stored tensor, where the value is a constant of the file. */
  readonly stored?: TensorRef;
}

/** One value for each output of a node, null where nothing is known; missing ones count as null. */
export type Rule = (node: NodeView) => readonly (Value | null)[];

/** What a rule needs from the graph around its node. */
export interface NodeContext {
  /** Version of the operator set of the node's domain; 1 where the model does not say. */
  readonly version: number;
  readElements(ref: TensorRef): Elements | null;
  /** Infers the subgraph in this attribute, fed with these values; its outputs in order. Null where there is none. */
  inferSubgraph(
    attribute: string,
    inputs: readonly (Value | null)[],
  ): readonly (Value | null)[] | null;
}

/** A tensor of this type and shape. An overlong shape counts as unknown, and so does a number that is no size. */
export function tensor(
  dtype: DataType,
  shape: Shape | null,
  elements: Elements | null = null,
): Value {
  if (shape === null || shape.length > MAX_RANK) return { dtype, shape: null, elements };
  const sizes = shape.map(length => (typeof length === 'number' ? size(length) : length));
  return { dtype, shape: sizes, elements };
}

/** A node as the rules see it: types, shapes and small values of its inputs, and its attributes with their defaults. */
export class NodeView extends AttributeReader {
  constructor(
    node: Node,
    private readonly inputs: readonly (Value | null)[],
    readonly context: NodeContext,
  ) {
    super(node);
  }

  get version(): number {
    return this.context.version;
  }
  input(index: number): Value | null {
    return this.inputs[index] ?? null;
  }
  shape(index: number): Shape | null {
    return this.input(index)?.shape ?? null;
  }
  dtype(index: number): DataType {
    return this.input(index)?.dtype ?? 'undefined';
  }
  /** One size of an input; null where it, the rank or the axis is unknown. */
  sizeAt(index: number, axis: number): Dimension {
    return this.shape(index)?.at(axis) ?? null;
  }

  /** True where `elements` could answer; reads nothing. */
  mayHaveElements(index: number): boolean {
    const value = this.input(index);
    if (value === null) return false;
    if (value.elements !== null) return true;
    const count = knownCount(value.shape);
    return value.stored !== undefined && count !== null && count <= MAX_ELEMENTS;
  }
  /** The elements of a small input that is known by value; null otherwise. */
  elements(index: number): Elements | null {
    const value = this.input(index);
    if (value === null || !this.mayHaveElements(index)) return null;
    return (
      value.elements ??
      (value.stored === undefined ? null : this.context.readElements(value.stored))
    );
  }
  /** Like `elements`, but null unless every one is a number. */
  numbers(index: number): readonly number[] | null {
    const elements = this.elements(index);
    if (elements === null) return null;
    const numbers = elements.filter(element => typeof element === 'number');
    return numbers.length === elements.length ? numbers : null;
  }

  /**
   * Axes (or another list of numbers) that moved from an attribute to an input at some version: the input where it is there,
   * else the attribute. `absent`: neither is given. `unknown`: an input that is not known by value.
   */
  attributeOrInput(name: string, index: number): readonly number[] | 'absent' | 'unknown' {
    if (this.has(index)) return this.numbers(index) ?? 'unknown';
    return this.ints(name) ?? 'absent';
  }
}
