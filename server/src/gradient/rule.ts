import { AttributeReader } from '../onnx/attributeReader';
import type { Attribute, Node } from '../onnx/graph';
import type { Operators } from './operators';
import type { Value } from './value';

/**
 * How a rectifier sends a gradient back. `guided` (Springenberg et al. 2015, arXiv 1412.6806): d·[x > 0]·[d > 0]; `deconvolution` (Zeiler and
 * Fergus 2014, arXiv 1311.2901): d·[d > 0]. Only Relu nodes differ; every other operator keeps its derivative.
 */
export type GradientMode = 'gradient' | 'guided' | 'deconvolution';

/** The gradient with respect to one input, emitted when it is wanted. */
export type InputGradient = () => Value;

/**
 * The vector-Jacobian product of an operator, or of several: from the gradients of its outputs to those of its inputs, as operators that the
 * model's own opset has.
 */
export interface Rule {
  /** Operator types; those of other domains as `com.microsoft.Gelu`. */
  readonly ops: readonly string[];
  /**
   * Inputs whose elements have to be known when the graph is written (axes, amounts, sizes). Where they do not follow from constants and sizes, a
   * run with the user's input tells them.
   */
  readonly known?: readonly number[];
  /** Inputs that gradients flow to at all, where the others are floats too (an example of a type); left out: all. */
  readonly carrying?: readonly number[];
  /** True for nodes whose outputs count as constants of the run: rounding, comparisons, casts to integers. */
  readonly constant?: (node: Node) => boolean;
  /**
   * One gradient for each input, by position. `null`, or nothing behind the last one: the derivative is zero, or the input is a constant
   * of the run (indices, sizes). Throws `node.refuse(…)` where there is none.
   */
  vjp(node: RuleNode, e: Operators): readonly (InputGradient | null)[];
}

/** Thrown by rules: this node has no derivative. Carried to the user with the node's name. */
export class NoDerivative extends Error {
  constructor(
    readonly node: Node,
    readonly reason: string,
  ) {
    super(reason);
  }
}

/** A node as the rules see it: its tensors with known shapes, the gradients of its outputs, its attributes with their defaults. */
export class RuleNode extends AttributeReader {
  constructor(
    node: Node,
    readonly mode: GradientMode,
    private readonly e: Operators,
    private readonly gradients: readonly (Value | null)[],
  ) {
    super(node);
  }

  get op(): string {
    return this.node.op;
  }
  /** Version of the operator set of the node's domain. */
  get version(): number {
    return this.e.version(this.node.domain);
  }
  /** Input `index`. */
  x(index = 0): Value {
    return this.e.tensor(this.node.inputs[index] ?? '');
  }
  /** False for outputs that the model does not name. */
  gives(index: number): boolean {
    return (this.node.outputs[index] ?? '') !== '';
  }
  /** Output `index`, as the forward run gave it. */
  y(index = 0): Value {
    return this.e.tensor(this.node.outputs[index] ?? '');
  }
  /** The gradient of output `index`; null where the target does not depend on it. */
  dyOf(index: number): Value | null {
    return this.gradients[index] ?? null;
  }
  /** The gradient of the first output. Rules of operators with one output need no other. */
  get dy(): Value {
    const dy = this.dyOf(0);
    if (!dy)
      this.refuse('only its further outputs lead to the target, and those have no derivative');
    return dy;
  }
  /** The elements of a small integer input (see `Rule.known`); null where it was left out. */
  numbers(index: number): readonly number[] | null {
    return this.has(index) ? this.e.elements(this.node.inputs[index] ?? '') : null;
  }

  attribute(name: string): Attribute | undefined {
    return this.node.attributes.get(name);
  }
  /** Axes (or another list) that moved from an attribute to an input at some version; null where neither is given. Refuses what is not known. */
  intsOrInput(name: string, index: number): readonly number[] | null {
    if (!this.has(index)) return this.ints(name);
    return this.numbers(index) ?? this.refuse(`its ${name} (input ${index}) are not known`);
  }

  /** Refuses the node: a half sentence that says why, after "no derivative: ". */
  refuse(reason: string): never {
    throw new NoDerivative(this.node, reason);
  }
}
