import type { DataType } from '../../../protocol/model';
import { producersOf } from '../onnx/constantPlan';
import type { Attribute, Graph, Model, Node, TensorRef } from '../onnx/graph';
import type { InferredValues } from '../onnx/shapes/inferShapes';
import { isKnown } from '../onnx/shapes/dimensions';
import { ruleOf } from '../onnx/shapes/registry';
import { NodeView, type Value as ShapeValue } from '../onnx/shapes/rule';
import type { Value } from './value';

/** An attribute of an emitted node by its value: whole numbers become ints; `{ float }` and `{ floats }` say that they are none. */
export type EmittedAttribute =
  | number
  | string
  | readonly number[]
  | { readonly float: number }
  | { readonly floats: readonly number[] };
export type EmittedAttributes = Readonly<Record<string, EmittedAttribute>>;

/** Names of everything that is emitted begin with this; where a model has such names already, with a longer form of it. */
const PREFIX = 'vx_';

/**
 * Writes nodes behind those of a graph, each with type and shape worked out as for the file's own nodes. Knows nothing of what is written:
 * see `Operators` for the operators by version.
 */
export class Emitter {
  readonly nodes: Node[] = [];
  readonly initializers = new Map<string, TensorRef>();
  private readonly prefix: string;
  private readonly known = new Map<string, ShapeValue>();
  private readonly constants = new Map<string, Value>();
  private count = 0;

  constructor(
    private readonly model: Model,
    private readonly facts: InferredValues,
  ) {
    this.prefix = freePrefix(model.graph);
  }

  /** Version of the operator set of a domain; 1 where the model does not say. */
  version(domain = ''): number {
    return this.model.opsets.get(domain) ?? 1;
  }

  /** A tensor of the model's own graph. Throws where its type or a size is not known: facts are completed before anything is emitted. */
  tensor(name: string): Value {
    const emitted = this.known.get(name);
    const { dtype, shape } = emitted ?? this.facts.shapes.get(name) ?? NOTHING;
    if (dtype === 'undefined' || !isKnown(shape))
      throw new Error(`type and shape of ${name} are not known`);
    return { name, dtype, shape };
  }

  /** The elements of a small integer tensor of the model that follow from constants and sizes; null for all others. */
  elements(name: string): readonly number[] | null {
    return this.facts.elements(name);
  }

  /** The node of the model that makes a tensor; null for inputs, constants and what was emitted. */
  makerOf(name: string): Node | null {
    return producersOf(this.model.graph).get(name) ?? null;
  }

  /** Whether a tensor is a constant of the model. */
  isConstant(name: string): boolean {
    return this.model.graph.initializers.has(name);
  }

  /** A name that nothing has. `hint` is part of it, for those who look at the graph. */
  fresh(hint: string): string {
    return `${this.prefix}${this.count++}_${hint}`;
  }

  /** A graph input that the caller feeds; it is up to the caller to declare it. */
  input(hint: string, dtype: DataType, shape: readonly number[]): Value {
    return this.remember({ name: `${this.prefix}${hint}`, dtype, shape });
  }

  /** The first output of a new node. Inputs that are null are left out. */
  node(
    op: string,
    inputs: readonly (Value | null)[],
    attributes: EmittedAttributes = {},
    domain = '',
  ): Value {
    const [first] = this.outputs(op, inputs, attributes, 1, domain);
    if (!first) throw new Error(`${op} gives nothing`);
    return first;
  }

  /** The first `count` outputs of a new node. `names` gives some of them names of the model. */
  outputs(
    op: string,
    inputs: readonly (Value | null)[],
    attributes: EmittedAttributes,
    count: number,
    domain = '',
    names: readonly string[] = [],
  ): readonly Value[] {
    const last = inputs.findLastIndex(input => input !== null);
    const given = inputs.slice(0, last + 1);
    const outputs = Array.from({ length: count }, (_, i) => names[i] ?? this.fresh(op));
    const node: Node = {
      index: this.nodes.length,
      name: this.fresh(`${op}_node`),
      op,
      domain,
      overload: '',
      inputs: given.map(input => input?.name ?? ''),
      outputs,
      attributes: new Map(
        Object.entries(attributes).map(([name, value]) => [name, attributeOf(value)]),
      ),
      docString: '',
      metadata: new Map(),
      span: null,
    };
    this.nodes.push(node);
    const inferred = this.infer(node, given);
    return outputs.map((name, i) => {
      const value = inferred[i] ?? null;
      if (value === null || !isKnown(value.shape))
        throw new Error(
          `the shape of output ${i} of an emitted ${op} is not known ([${given.map(v => (v ? v.shape.join(',') : '-')).join('; ')}])`,
        );
      this.known.set(name, value);
      return { name, dtype: value.dtype, shape: value.shape };
    });
  }

  /** A constant float tensor of this type. Equal constants are one. */
  floats(
    dtype: DataType,
    shape: readonly number[],
    values: readonly number[] | Float64Array,
  ): Value {
    const data = dtype === 'float64' ? Float64Array.from(values) : Float32Array.from(values);
    return this.constant(dtype, shape, data, null);
  }

  /** A constant int64 tensor; a vector where no shape is given. */
  ints(values: readonly number[], shape: readonly number[] = [values.length]): Value {
    return this.constant('int64', shape, BigInt64Array.from(values, BigInt), values);
  }

  bools(shape: readonly number[], values: readonly boolean[]): Value {
    return this.constant('bool', shape, Uint8Array.from(values, Number), null);
  }

  private constant(
    dtype: DataType,
    shape: readonly number[],
    data: Float32Array | Float64Array | BigInt64Array | Uint8Array,
    elements: readonly number[] | null,
  ): Value {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    const small = bytes.length <= MOST_SHARED_BYTES;
    const key = small ? `${dtype} ${shape.join()} ${bytes.join()}` : '';
    const kept = this.constants.get(key);
    if (kept) return kept;
    const name = this.fresh('constant');
    this.initializers.set(name, {
      name,
      dtype,
      shape,
      location: { kind: 'bytes', bytes },
      span: null,
    });
    const value = this.remember({ name, dtype, shape }, elements);
    if (small) this.constants.set(key, value);
    return value;
  }

  private remember(value: Value, elements: readonly number[] | null = null): Value {
    this.known.set(value.name, { dtype: value.dtype, shape: value.shape, elements });
    return value;
  }

  private infer(node: Node, inputs: readonly (Value | null)[]): readonly (ShapeValue | null)[] {
    const rule = ruleOf(node.domain, node.op);
    if (!rule) throw new Error(`no shape rule for the emitted ${node.op}`);
    const values = inputs.map(input => input && this.shapeValue(input));
    return rule(
      new NodeView(node, values, {
        version: this.version(node.domain),
        readElements: () => null,
        inferSubgraph: () => null,
      }),
    );
  }

  private shapeValue({ name, dtype, shape }: Value): ShapeValue {
    return this.known.get(name) ?? { dtype, shape, elements: this.facts.elements(name) };
  }
}

const NOTHING = { dtype: 'undefined', shape: null } as const;
const MOST_SHARED_BYTES = 256;

function attributeOf(value: EmittedAttribute): Attribute {
  if (typeof value === 'number') return { kind: 'int', value };
  if (typeof value === 'string') return { kind: 'string', value };
  if ('float' in value) return { kind: 'float', value: value.float };
  if ('floats' in value) return { kind: 'floats', value: value.floats };
  return { kind: 'ints', value };
}

/** A prefix that no name of the graph begins with. */
function freePrefix(graph: Graph): string {
  const names = [
    ...graph.inputs.map(({ name }) => name),
    ...graph.initializers.keys(),
    ...graph.nodes.flatMap(node => [node.name, ...node.outputs]),
  ];
  let prefix = PREFIX;
  for (let i = 2; names.some(name => name.startsWith(prefix)); i++) prefix = `${PREFIX}${i}_`;
  return prefix;
}
