import type { Dimension, Problem, ValueInfo } from '../../../../protocol/model';
import { toNumbers } from '../numbers';
import type { Graph, Model, Node, TensorRef } from '../graph';
import type { Tensor } from '../tensor';
import { MAX_SUBGRAPH_DEPTH } from '../dataPath';
import { isKnown, MAX_RANK, type Shape, size } from './dimensions';
import { elementsOf } from './elements';
import { ruleOf } from './registry';
import { type Elements, MAX_ELEMENTS, NodeView, tensor, type Value } from './rule';

export interface ShapeOptions {
  /** Reads a constant of at most 1024 elements; null (or a throw) where its bytes are not there. */
  readConstant(ref: TensorRef): Tensor | null;
  /** Shapes that are going to be fed, by graph input: symbolic sizes become numbers. */
  readonly inputShapes?: ReadonlyMap<string, readonly number[]>;
  /** Told of values whose declared shape contradicts the inferred one. */
  report?(problem: Problem): void;
}

/**
 * Type and shape of every value of the main graph, as far as they can be known without a run, and of the values of subgraphs whose
 * names the main graph does not use (where two subgraphs use a name, what they agree on). Values of which nothing is known are there
 * with an `undefined` type and a null shape. Never throws for what is in the model.
 *
 * Sources, per size: our inference from the operators' specifications where it gives a number; else what the file declares
 * (`value_info`, graph outputs); else a symbolic name; else null. Inference wins because exporters leave traced sizes behind in
 * `value_info`; a contradiction is reported. When `inputShapes` differs from sizes that the file fixes, declared shapes of other values
 * are no longer trusted. A symbolic name of the inputs that `inputShapes` gives one size becomes that number everywhere.
 *
 * Time and memory grow with the file, not with the sizes in it: shapes have at most 64 axes, and values are followed up to 1024 elements.
 */
export function inferShapes(model: Model, options: ShapeOptions): Map<string, ValueInfo> {
  return new Inference(model, options).run().shapes;
}

/** What inference knows of the values of a model. */
export interface InferredValues {
  /** As `inferShapes` gives them. */
  readonly shapes: Map<string, ValueInfo>;
  /**
   * The elements of a small value of the main graph that follows from constants and sizes, whatever operators made it (amounts of a Pad,
   * bounds of a Slice); null for all others.
   */
  elements(name: string): readonly number[] | null;
}

/** As `inferShapes`, and the values of shape arithmetic that it came across. */
export function inferValues(model: Model, options: ShapeOptions): InferredValues {
  return new Inference(model, options).run();
}

/** Values that a graph can see: its own, then those of the graphs around it. */
interface Scope {
  readonly values: Map<string, Value>;
  readonly outer: Scope | null;
  readonly depth: number;
}

function lookUp(scope: Scope, name: string): Value | null {
  for (let current: Scope | null = scope; current !== null; current = current.outer) {
    const value = current.values.get(name);
    if (value !== undefined) return value;
  }
  return null;
}

class Inference {
  private readonly read = new Map<TensorRef, Elements | null>();
  private readonly inner = new Map<string, Value>();
  private readonly sizes: ReadonlyMap<string, number>;
  private readonly trustsDeclared: boolean;

  constructor(
    private readonly model: Model,
    private readonly options: ShapeOptions,
  ) {
    this.sizes = boundSizes(model.graph, options.inputShapes);
    this.trustsDeclared = agreesWithDeclared(model.graph, options.inputShapes);
  }

  run(): InferredValues {
    const scope: Scope = { values: new Map(), outer: null, depth: 0 };
    this.inferGraph(this.model.graph, scope, null);
    const shapes = new Map<string, ValueInfo>();
    for (const [name, value] of [...scope.values, ...this.inner])
      if (!shapes.has(name)) shapes.set(name, valueInfoOf(name, value));
    return { shapes, elements: name => this.numbersOf(scope.values.get(name)) };
  }

  private numbersOf(value: Value | undefined): readonly number[] | null {
    const stored = value?.stored === undefined ? null : this.readElements(value.stored);
    const elements = value?.elements ?? stored;
    const numbers = elements?.filter(element => typeof element === 'number');
    return numbers !== undefined && numbers.length === elements?.length ? numbers : null;
  }

  /** Infers the nodes in order (ONNX wants them sorted); gives the outputs. `fed` null: the main graph. */
  private inferGraph(
    graph: Graph,
    scope: Scope,
    fed: readonly (Value | null)[] | null,
  ): readonly (Value | null)[] {
    for (const [name, ref] of graph.initializers)
      scope.values.set(name, { ...tensor(ref.dtype, ref.shape), stored: ref });
    graph.inputs.forEach((input, index) =>
      scope.values.set(input.name, this.inputValue(input, fed?.[index] ?? null)),
    );
    const outputs = new Map(graph.outputs.map(output => [output.name, output]));
    for (const node of graph.nodes) {
      const inferred = this.inferNode(node, scope);
      for (const [index, name] of node.outputs.entries()) {
        if (name === '') continue;
        const declared = graph.valueInfo.get(name) ?? outputs.get(name) ?? null;
        const value = this.combined(name, inferred[index] ?? null, declared, scope);
        scope.values.set(name, value);
        if (scope.outer !== null) this.remember(name, value);
      }
    }
    return graph.outputs.map(output => lookUp(scope, output.name));
  }

  private inputValue(input: ValueInfo, fed: Value | null): Value {
    const shape = this.options.inputShapes?.get(input.name);
    if (fed !== null) return { ...fed, dtype: fed.dtype === 'undefined' ? input.dtype : fed.dtype };
    const value = tensor(input.dtype, shape ?? this.bound(input.shape));
    return input.container === undefined ? value : { ...value, container: input.container };
  }

  private inferNode(node: Node, scope: Scope): readonly (Value | null)[] {
    const inputs = node.inputs.map(name => (name === '' ? null : lookUp(scope, name)));
    const view = new NodeView(node, inputs, {
      version: this.model.opsets.get(node.domain) ?? 1,
      readElements: ref => this.readElements(ref),
      inferSubgraph: (name, values) => {
        const attribute = node.attributes.get(name);
        if (attribute?.kind !== 'graph' || scope.depth >= MAX_SUBGRAPH_DEPTH) return null;
        const nested: Scope = { values: new Map(), outer: scope, depth: scope.depth + 1 };
        return this.inferGraph(attribute.value, nested, values);
      },
    });
    const outputs = ruleOf(node.domain, node.op)?.(view) ?? [];
    return outputs.map((value, index) => {
      if (value === null || value.container !== undefined || value.elements !== null) return value;
      return { ...value, elements: elementsOf(view, value, index) };
    });
  }

  private readElements(ref: TensorRef): Elements | null {
    const known = this.read.get(ref);
    if (known !== undefined) return known;
    const elements = this.readNow(ref);
    this.read.set(ref, elements);
    return elements;
  }

  private readNow(ref: TensorRef): Elements | null {
    const numeric =
      ref.dtype !== 'string' && ref.dtype !== 'undefined' && !ref.dtype.startsWith('complex');
    const count = ref.shape.reduce((product, length) => product * length, 1);
    if (!numeric || !(count >= 0 && count <= MAX_ELEMENTS)) return null;
    try {
      const read = this.options.readConstant(ref);
      return read === null
        ? null
        : Array.from(toNumbers(read), value => (Number.isFinite(value) ? value : null));
    } catch {
      // A constant whose bytes are missing is told by who reads it for its own sake; here it is only unknown.
      return null;
    }
  }

  /** Symbolic names of the inputs become the sizes they are bound to; what is no size becomes null. */
  private bound(shape: Shape | null): Shape | null {
    if (shape === null || shape.length > MAX_RANK) return null;
    return shape.map(length => {
      if (typeof length === 'string') return this.sizes.get(length) ?? length;
      return length === null ? null : size(length);
    });
  }

  /** What inference and file say about one value. Branches that never run may contradict themselves: only the main graph is reported. */
  private combined(
    name: string,
    inferred: Value | null,
    declared: ValueInfo | null,
    scope: Scope,
  ): Value {
    if (declared === null) return inferred ?? tensor('undefined', null);
    const from = this.trustsDeclared ? this.bound(declared.shape) : null;
    const dtype =
      inferred === null || inferred.dtype === 'undefined' ? declared.dtype : inferred.dtype;
    const shape = inferred?.shape ?? null;
    const container = inferred?.container ?? declared.container;
    if (scope.outer === null && shape !== null && from !== null && contradicts(shape, from))
      this.options.report?.({
        severity: 'warning',
        message: `The file declares the shape [${written(from)}] for ${name}, but its operator gives [${written(shape)}].`,
        subject: name,
      });
    const merged = shape === null ? from : mergedShape(shape, from);
    const value = {
      ...tensor(dtype, merged, inferred?.elements ?? null),
      ...(inferred?.stored ? { stored: inferred.stored } : {}),
    };
    return container === undefined ? value : { ...value, container };
  }

  /** Values of subgraphs share a name space with their siblings: keep what holds for all of them. */
  private remember(name: string, value: Value): void {
    const other = this.inner.get(name);
    if (other === undefined) this.inner.set(name, value);
    else if (other.shape?.length === value.shape?.length && other.dtype === value.dtype)
      this.inner.set(
        name,
        tensor(
          value.dtype,
          value.shape?.map((length, axis) => (length === other.shape?.[axis] ? length : null)) ??
            null,
        ),
      );
    else this.inner.set(name, tensor('undefined', null));
  }
}

const written = (shape: Shape): string => shape.map(length => length ?? '?').join(', ');

const contradicts = (a: Shape, b: Shape): boolean =>
  a.length !== b.length ||
  a.some(
    (length, axis) =>
      typeof length === 'number' && typeof b[axis] === 'number' && length !== b[axis],
  );

/** Size by size: a number that was inferred, a number that is declared, the inferred name, the declared name. */
function mergedShape(inferred: Shape, declared: Shape | null): Shape {
  if (declared === null || declared.length !== inferred.length) return inferred;
  return inferred.map((length, axis) => {
    const other: Dimension = declared[axis] ?? null;
    return typeof length === 'number'
      ? length
      : typeof other === 'number'
        ? other
        : (length ?? other);
  });
}

/** Sizes of the inputs' symbolic names; a name that would stand for two sizes stays open. */
function boundSizes(graph: Graph, fed: ShapeOptions['inputShapes']): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>();
  const ambiguous = new Set<string>();
  for (const input of graph.inputs)
    for (const [axis, length] of (fed?.get(input.name) ?? []).entries()) {
      const name = input.shape?.[axis];
      if (typeof name !== 'string') continue;
      if ((sizes.get(name) ?? length) !== length) ambiguous.add(name);
      sizes.set(name, length);
    }
  for (const name of ambiguous) sizes.delete(name);
  return sizes;
}

/** False where a fed shape differs from a size or rank that the file fixes. */
function agreesWithDeclared(graph: Graph, fed: ShapeOptions['inputShapes']): boolean {
  return graph.inputs.every(input => {
    const given = fed?.get(input.name);
    return given === undefined || input.shape === null || !contradicts(given, input.shape);
  });
}

function valueInfoOf(name: string, value: Value): ValueInfo {
  const shape = value.shape;
  const info = { name, dtype: value.dtype, shape: isKnown(shape) ? [...shape] : shape };
  return value.container === undefined ? info : { ...info, container: value.container };
}
