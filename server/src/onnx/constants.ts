import type { DataType } from '../../../protocol/model';
import { UserError } from '../../../protocol/errors';
import { dataTypeOf } from './dataTypes';
import {
  arithmetic,
  broadcastShape,
  cast,
  dequantizeLinear,
  granularity,
  quantizeLinear,
  transpose,
  withShape,
  type Arithmetic,
  type Quantization,
} from './constantOps';
import { planConstant, type ConstantPlan } from './constantPlan';
import {
  flattened,
  intAttribute,
  intsAttribute,
  isArithmetic,
  misfit,
  permutationOf,
  reshaped,
  squeezed,
  tensorAttribute,
  unsqueezed,
} from './constantShapes';
import type { Graph, Model, Node, TensorRef } from './graph';
import { toNumbers } from './numbers';
import { elementCount, type Tensor, type TensorData } from './tensor';

/** What is known of a constant before its bytes are read. */
export interface ConstantInfo {
  /** The name that was asked for. */
  readonly name: string;
  /** The initializer, or the output of the Constant or ConstantOfShape node, that the constant is made from. */
  readonly origin: string;
  /** How the file stores it. */
  readonly storedDtype: DataType;
  readonly dtype: DataType;
  /** Null where a shape stands in the file that was not read. */
  readonly shape: readonly number[] | null;
  /** Operators from the origin to the name, in order. */
  readonly steps: readonly string[];
  /** Sentences for a person. */
  readonly notes: readonly string[];
}

export interface Constant extends ConstantInfo {
  readonly shape: readonly number[];
  readonly tensor: Tensor;
}

/** Reads a stored tensor. */
export type ReadTensor = (ref: TensorRef) => Tensor;

/** Elements that a shape or a list of axes may have. */
const MAX_SHAPE_ELEMENTS = 64;
/** Elements of all tensors that are computed for one constant. */
const MAX_COMPUTED_ELEMENTS = 2 ** 28;

/**
 * What stands behind a name in `graph`: an initializer, a Constant or ConstantOfShape node, or either behind Identity, Cast,
 * QuantizeLinear, DequantizeLinear, Transpose, Reshape, Flatten, Squeeze, Unsqueeze and arithmetic with other constants. Null for values
 * that are not constant. No weight is read; `readSmall`, where given, reads shapes and axes of at most 64 elements.
 */
export function describeConstant(
  model: Model,
  graph: Graph,
  name: string,
  readSmall?: ReadTensor,
): ConstantInfo | null {
  const plan = planConstant(model, graph, name);
  if (!plan) return null;
  const describer = new Describer(readSmall ?? null);
  const chain = chainOf(plan, describer);
  const last = chain[chain.length - 1] ?? plan;
  return {
    name,
    origin: last.name,
    storedDtype: last.kind === 'stored' ? last.ref.dtype : describer.dtype(last),
    dtype: describer.dtype(plan),
    shape: describer.shape(plan),
    steps: chain.flatMap(step => (step.kind === 'computed' ? [step.node.op] : [])).reverse(),
    notes: chain.flatMap(step => noteOf(step, describer)).reverse(),
  };
}

/**
 * The constant behind a name, computed: quantised weights come out as floats of the scale's type. Null where `describeConstant` gives null.
 * Throws what `read` throws, `brokenModel` where shapes do not fit, `tooLarge` and `unsupported`.
 */
export function resolveConstant(
  model: Model,
  graph: Graph,
  name: string,
  read: ReadTensor,
): Constant | null {
  const plan = planConstant(model, graph, name);
  const info = plan && describeConstant(model, graph, name, read);
  if (!plan || !info) return null;
  const tensor = new Evaluator(read).value(plan);
  return { ...info, tensor, dtype: tensor.dtype, shape: tensor.shape };
}

type Computed = Extract<ConstantPlan, { kind: 'computed' }>;

/** The way from a constant to its origin: the data input of each operator; of two operands the larger one. */
function chainOf(plan: ConstantPlan, describer: Describer): ConstantPlan[] {
  const chain: ConstantPlan[] = [];
  for (let at: ConstantPlan | null = plan; at;) {
    chain.push(at);
    at = at.kind === 'computed' ? mainInput(at, describer) : null;
  }
  return chain;
}

function mainInput({ node, inputs }: Computed, describer: Describer): ConstantPlan | null {
  const [first, second] = inputs;
  if (node.op === 'ConstantOfShape') return null;
  if (isArithmetic(node.op) && first && second) {
    const size = (plan: ConstantPlan): number => elementCount(describer.shape(plan) ?? [0]);
    return size(second) > size(first) ? second : first;
  }
  return first ?? null;
}

function noteOf(plan: ConstantPlan, describer: Describer): string[] {
  if (plan.kind === 'stored') return [];
  const { node, inputs } = plan;
  if (node.op === 'ConstantOfShape')
    return ['Made by ConstantOfShape: every element has the same value.'];
  const [x, scale] = inputs;
  if (node.op !== 'DequantizeLinear' || !x || !scale) return [];
  const scaleShape = describer.shape(scale);
  const block = intAttribute(node, 'block_size', 0);
  const words = {
    tensor: 'with one scale',
    axis: 'per channel',
    block: `in blocks of ${block}`,
  };
  const how = scaleShape
    ? `, ${words[granularity(describer.shape(x) ?? [], scaleShape, block)]}`
    : '';
  return [`Dequantised from ${describer.dtype(x)}${how}.`];
}

/** Types and shapes of constants. */
class Describer {
  private readonly shapes = new Map<ConstantPlan, readonly number[] | null>();

  constructor(private readonly read: ReadTensor | null) {}

  dtype(plan: ConstantPlan): DataType {
    if (plan.kind === 'stored') return plan.ref.dtype;
    const { node, inputs } = plan;
    const of = (index: number): DataType | null => {
      const input = inputs[index];
      return input ? this.dtype(input) : null;
    };
    switch (node.op) {
      case 'Cast':
        return dataTypeOf(intAttribute(node, 'to', 0));
      case 'ConstantOfShape':
        return tensorAttribute(node, 'value')?.dtype ?? 'float32';
      case 'DequantizeLinear':
        return of(1) ?? 'float32';
      case 'QuantizeLinear': {
        const code = intAttribute(node, 'output_dtype', 0);
        return of(2) ?? (code > 0 ? dataTypeOf(code) : 'uint8');
      }
      default:
        return of(0) ?? 'undefined';
    }
  }

  shape(plan: ConstantPlan): readonly number[] | null {
    const known = this.shapes.get(plan);
    if (known !== undefined) return known;
    const made = plan.kind === 'stored' ? plan.ref.shape : this.computedShape(plan);
    const sane = made?.every(size => Number.isSafeInteger(size) && size >= 0) ? made : null;
    this.shapes.set(plan, sane);
    return sane;
  }

  private computedShape(plan: Computed): readonly number[] | null {
    const { node, inputs } = plan;
    const [first, second] = inputs;
    const shape = first ? this.shape(first) : null;
    switch (node.op) {
      case 'ConstantOfShape':
        return first ? this.integers(first) : null;
      case 'Transpose':
        return shape && (permutationOf(node, shape)?.map(axis => shape[axis] ?? 1) ?? null);
      case 'Reshape': {
        const wanted = second ? this.integers(second) : intsAttribute(node, 'shape');
        return shape && wanted && reshaped(shape, wanted, intAttribute(node, 'allowzero', 0) === 1);
      }
      case 'Flatten':
        return shape && flattened(shape, intAttribute(node, 'axis', 1));
      case 'Squeeze':
      case 'Unsqueeze': {
        const axes = second ? this.integers(second) : intsAttribute(node, 'axes');
        if (!shape || (second && !axes)) return null;
        return node.op === 'Squeeze' ? squeezed(shape, axes) : unsqueezed(shape, axes ?? []);
      }
      default: {
        const other = isArithmetic(node.op) && second ? this.shape(second) : [];
        return shape && other && broadcastShape(shape, other);
      }
    }
  }

  /** The values of a small constant such as a shape; null where it is not to be read. */
  integers(plan: ConstantPlan): readonly number[] | null {
    const read = this.read;
    const shape = this.shape(plan);
    if (!shape || elementCount(shape) > MAX_SHAPE_ELEMENTS) return null;
    if (plan.kind === 'stored' && plan.ref.location.kind === 'bytes') {
      const { bytes } = plan.ref.location;
      return plan.ref.dtype === 'int64'
        ? Array.from(new BigInt64Array(new Uint8Array(bytes).buffer), Number)
        : null;
    }
    return read && toNumbers(new Evaluator(read).value(plan));
  }
}

const tooMany = (name: string): UserError =>
  new UserError(
    'tooLarge',
    `The constant ${name} takes more than ${MAX_COMPUTED_ELEMENTS} computed elements.`,
  );

/** Values of constants, each computed once. */
class Evaluator {
  private readonly values = new Map<ConstantPlan, Tensor>();
  private made = 0;
  private readonly describer: Describer;

  constructor(private readonly read: ReadTensor) {
    this.describer = new Describer(read);
  }

  value(plan: ConstantPlan): Tensor {
    const known = this.values.get(plan);
    if (known) return known;
    const made = plan.kind === 'stored' ? this.read(plan.ref) : this.compute(plan);
    this.made += made.data.length;
    if (this.made > MAX_COMPUTED_ELEMENTS) throw tooMany(plan.name);
    this.values.set(plan, made);
    return made;
  }

  private compute(plan: Computed): Tensor {
    const { node } = plan;
    if (node.op === 'ConstantOfShape') return this.filled(plan);
    const x = this.input(plan, 0);
    switch (node.op) {
      case 'Identity':
        return x;
      case 'Cast':
        return cast(x, this.describer.dtype(plan));
      case 'DequantizeLinear':
        return dequantizeLinear(x, this.quantization(plan));
      case 'QuantizeLinear':
        return quantizeLinear(x, this.quantization(plan), this.describer.dtype(plan));
      case 'Transpose': {
        const permutation = permutationOf(node, x.shape);
        if (!permutation) throw misfit(node);
        return transpose(x, permutation);
      }
      default: {
        if (isArithmetic(node.op)) return this.combined(plan, node.op, x);
        const shape = this.describer.shape(plan);
        if (!shape || elementCount(shape) !== elementCount(x.shape)) throw misfit(node);
        return withShape(x, shape);
      }
    }
  }

  private combined(plan: Computed, op: Arithmetic, x: Tensor): Tensor {
    const other = this.input(plan, 1);
    const shape = broadcastShape(x.shape, other.shape);
    if (!shape) throw misfit(plan.node);
    if (elementCount(shape) > MAX_COMPUTED_ELEMENTS) throw tooMany(plan.name);
    return arithmetic(op, x, other, shape);
  }

  private input({ node, inputs }: Computed, index: number): Tensor {
    const plan = inputs[index];
    if (!plan) throw misfit(node);
    return this.value(plan);
  }

  private quantization(plan: Computed): Quantization {
    const zero = plan.inputs[2];
    return {
      scale: this.input(plan, 1),
      zeroPoint: zero ? this.value(zero) : null,
      axis: intAttribute(plan.node, 'axis', 1),
      blockSize: intAttribute(plan.node, 'block_size', 0),
    };
  }

  /** ConstantOfShape: one value everywhere, a float32 zero where none is given. */
  private filled(plan: Computed): Tensor {
    const shape = toNumbers(this.input(plan, 0));
    const sane = shape.every(size => Number.isSafeInteger(size) && size >= 0);
    if (!sane || shape.length > MAX_SHAPE_ELEMENTS) throw misfit(plan.node);
    const total = elementCount(shape);
    if (total > MAX_COMPUTED_ELEMENTS) throw tooMany(plan.name);
    const ref = tensorAttribute(plan.node, 'value');
    if (!ref) return { dtype: 'float32', shape, data: new Float32Array(total) };
    const value = this.read(ref);
    return { dtype: value.dtype, shape, data: repeated(value.data, total, plan.node) };
  }
}

function repeated(data: TensorData, length: number, node: Node): TensorData {
  const [value] = data;
  if (data instanceof BigInt64Array && typeof value === 'bigint')
    return new BigInt64Array(length).fill(value);
  if (data instanceof BigUint64Array && typeof value === 'bigint')
    return new BigUint64Array(length).fill(value);
  if (typeof value !== 'number' || !ArrayBuffer.isView(data)) throw misfit(node);
  if (data instanceof Float32Array) return new Float32Array(length).fill(value);
  if (data instanceof Float64Array) return new Float64Array(length).fill(value);
  if (data instanceof Int8Array) return new Int8Array(length).fill(value);
  if (data instanceof Int16Array) return new Int16Array(length).fill(value);
  if (data instanceof Int32Array) return new Int32Array(length).fill(value);
  if (data instanceof Uint16Array) return new Uint16Array(length).fill(value);
  if (data instanceof Uint32Array) return new Uint32Array(length).fill(value);
  return new Uint8Array(length).fill(value);
}
