import type { Problem, ValueInfo } from '../../../protocol/model';
import { subgraphsOf } from './constantPlan';
import type { Attribute, Graph, LocalFunction, Model, Node, TensorRef } from './graph';
import { quote } from './readProto';

const MAX_NODES = 200_000;
const MAX_CALL_DEPTH = 48;

/**
 * The model with every call of a local function replaced by the function's body, calls inside bodies and subgraphs included (onnx IR.md,
 * "Model Local Functions"). Nodes and values of a body are named `call/inner`, after the call's name or, where it has none, its first
 * output. Calls that lead back to themselves, and what is beyond 200 000 nodes, stay as calls, with a problem. A model without functions
 * is given back as it is.
 */
export function inlineFunctions(model: Model): Model {
  if (model.functions.length === 0) return model;
  const inliner = new Inliner(model);
  const nodes = inliner.body(model.graph.nodes, null, []);
  return {
    ...model,
    graph: { ...model.graph, nodes: nodes.map((node, index) => ({ ...node, index })) },
    opsets: mergedOpsets(model),
    functions: inliner.complete ? [] : model.functions,
    problems: [...model.problems, ...inliner.problems],
  };
}

/** Bodies may use domains that the model itself does not. */
function mergedOpsets(model: Model): ReadonlyMap<string, number> {
  const merged = new Map(model.opsets);
  for (const { opsets } of model.functions)
    for (const [domain, version] of opsets) if (!merged.has(domain)) merged.set(domain, version);
  return merged;
}

const keyOf = ({ domain, overload }: Node | LocalFunction, name: string): string =>
  JSON.stringify([domain, name, overload]);

/** Names that are in use. */
class Names {
  private readonly taken = new Set<string>();
  /** The number that the next copy of a name gets. */
  private readonly copies = new Map<string, number>();

  take(name: string): void {
    this.taken.add(name);
  }

  /** The wanted name, or that with a number where it is in use; in use from now on. */
  unique(wanted: string): string {
    let name = wanted;
    while (this.taken.has(name)) {
      const copy = this.copies.get(wanted) ?? 2;
      this.copies.set(wanted, copy + 1);
      name = `${wanted}_${copy}`;
    }
    this.taken.add(name);
    return name;
  }
}

/** Names of a function body, or of a subgraph in one, as they are called outside. */
class Scope {
  private readonly names = new Map<string, string>();

  constructor(
    private readonly parent: Scope | null,
    /** What the body's own names are put behind. */
    readonly prefix: string,
    readonly call: Node,
    /** What attribute references stand for. */
    readonly attributes: ReadonlyMap<string, Attribute>,
    private readonly values: Names,
  ) {}

  /** A subgraph: what it names itself is its own. */
  inner(): Scope {
    return new Scope(this, this.prefix, this.call, this.attributes, this.values);
  }

  set(name: string, outside: string): void {
    this.names.set(name, outside);
  }

  own(name: string): void {
    if (name !== '' && !this.names.has(name))
      this.names.set(name, this.values.unique(`${this.prefix}/${name}`));
  }

  of(name: string): string {
    if (name === '') return '';
    const known = this.find(name);
    if (known !== undefined) return known;
    this.own(name);
    return this.names.get(name) ?? name;
  }

  private find(name: string): string | undefined {
    return this.names.get(name) ?? this.parent?.find(name);
  }
}

class Inliner {
  readonly problems: Problem[] = [];
  /** False when some call had to stay. */
  complete = true;
  private readonly functions = new Map<string, LocalFunction>();
  private readonly functionNames = new Set<string>();
  private readonly values = new Names();
  private readonly nodeNames = new Names();
  private readonly prefixes = new Names();
  private readonly reported = new Set<string>();
  private count = 0;

  constructor(model: Model) {
    for (const each of model.functions) {
      this.functions.set(keyOf(each, each.name), each);
      this.functionNames.add(each.name);
    }
    this.reserve(model.graph);
  }

  /** The function that a node calls. */
  private target(node: Node): LocalFunction | null {
    if (!this.functionNames.has(node.op)) return null;
    return this.functions.get(keyOf(node, node.op)) ?? null;
  }

  private reserve(graph: Graph): void {
    for (const { name } of [...graph.inputs, ...graph.outputs]) this.values.take(name);
    for (const name of graph.initializers.keys()) this.values.take(name);
    for (const node of graph.nodes) {
      this.nodeNames.take(node.name);
      for (const output of node.outputs) this.values.take(output);
      for (const inner of subgraphsOf(node)) this.reserve(inner);
    }
  }

  /** Nodes with their calls replaced; `scope` renames them, null leaves names as they are. `stack` holds the functions being inlined. */
  body(nodes: readonly Node[], scope: Scope | null, stack: readonly LocalFunction[]): Node[] {
    const out: Node[] = [];
    for (const node of nodes) {
      this.count++;
      const renamed = this.node(node, scope, stack);
      const target = this.target(node);
      if (target && this.mayInline(target, stack)) this.inline(renamed, target, stack, out);
      else out.push(renamed);
    }
    return out;
  }

  private mayInline(target: LocalFunction, stack: readonly LocalFunction[]): boolean {
    const recursive = stack.includes(target);
    if (!recursive && stack.length < MAX_CALL_DEPTH && this.count < MAX_NODES) return true;
    this.complete = false;
    const why = recursive
      ? `calls itself`
      : this.count < MAX_NODES
        ? 'is nested too deep'
        : `makes the model larger than ${MAX_NODES} nodes`;
    const message = `The function ${quote(target.name)} ${why}; its calls are shown as they are.`;
    if (!this.reported.has(message))
      this.problems.push({ severity: 'error', message, subject: target.name });
    this.reported.add(message);
    return false;
  }

  /** Appends the body of a function in place of a call. */
  private inline(
    call: Node,
    target: LocalFunction,
    stack: readonly LocalFunction[],
    out: Node[],
  ): void {
    const label = call.name || call.outputs.find(name => name !== '') || call.op;
    const attributes = new Map([...target.attributeDefaults, ...call.attributes]);
    const scope = new Scope(null, this.prefixes.unique(label), call, attributes, this.values);
    target.inputs.forEach((name, index) => scope.set(name, call.inputs[index] ?? ''));
    const passed = this.bindOutputs(call, target, scope);
    for (const node of this.body(target.nodes, scope, [...stack, target])) out.push(node);
    for (const [from, to] of passed) out.push(identity(call, scope.of(from), to));
  }

  /** Gives outputs the names that the call has for them; returns those that are inputs, or given twice, and so must be copied. */
  private bindOutputs(
    call: Node,
    target: LocalFunction,
    scope: Scope,
  ): readonly (readonly [string, string])[] {
    const bound = new Set(target.inputs);
    const passed: [string, string][] = [];
    target.outputs.forEach((name, index) => {
      const outside = call.outputs[index] ?? '';
      if (outside === '') return;
      if (bound.has(name)) passed.push([name, outside]);
      else scope.set(name, outside);
      bound.add(name);
    });
    return passed;
  }

  private node(node: Node, scope: Scope | null, stack: readonly LocalFunction[]): Node {
    if (!scope) return this.unscoped(node, stack);
    const attributes = new Map<string, Attribute>();
    for (const [name, attribute] of node.attributes) {
      const resolved = this.attribute(attribute, scope, stack);
      if (resolved) attributes.set(name, resolved);
    }
    const ownName = node.name || node.outputs.find(name => name !== '') || node.op;
    return {
      ...node,
      name: this.nodeNames.unique(`${scope.prefix}/${ownName}`),
      inputs: node.inputs.map(name => scope.of(name)),
      outputs: node.outputs.map(name => scope.of(name)),
      attributes,
      metadata: merged(scope.call.metadata, node.metadata),
      span: null,
    };
  }

  /** A node outside functions changes only where a subgraph of it holds calls. */
  private unscoped(node: Node, stack: readonly LocalFunction[]): Node {
    if (!subgraphsOf(node).some(graph => this.holdsCall(graph))) return node;
    const attributes = new Map<string, Attribute>();
    for (const [name, attribute] of node.attributes)
      attributes.set(name, this.attribute(attribute, null, stack) ?? attribute);
    return { ...node, attributes, span: null };
  }

  private holdsCall(graph: Graph): boolean {
    return graph.nodes.some(
      node => this.target(node) !== null || subgraphsOf(node).some(inner => this.holdsCall(inner)),
    );
  }

  /** Null for a reference to an attribute that the call leaves out. */
  private attribute(
    attribute: Attribute,
    scope: Scope | null,
    stack: readonly LocalFunction[],
  ): Attribute | null {
    switch (attribute.kind) {
      case 'reference':
        return scope ? (scope.attributes.get(attribute.value) ?? null) : attribute;
      case 'graph':
        return { kind: 'graph', value: this.subgraph(attribute.value, scope, stack) };
      case 'graphs':
        return {
          kind: 'graphs',
          value: attribute.value.map(graph => this.subgraph(graph, scope, stack)),
        };
      default:
        return attribute;
    }
  }

  private subgraph(graph: Graph, outer: Scope | null, stack: readonly LocalFunction[]): Graph {
    if (!outer) {
      const nodes = this.body(graph.nodes, null, stack);
      return { ...graph, nodes: nodes.map((node, index) => ({ ...node, index })) };
    }
    const scope = outer.inner();
    for (const { name } of graph.inputs) scope.own(name);
    for (const name of graph.initializers.keys()) scope.own(name);
    for (const node of graph.nodes) for (const name of node.outputs) scope.own(name);
    const value = (info: ValueInfo): ValueInfo => ({ ...info, name: scope.of(info.name) });
    const initializers = new Map<string, TensorRef>();
    for (const [name, tensor] of graph.initializers)
      initializers.set(scope.of(name), { ...tensor, name: scope.of(name) });
    const nodes = this.body(graph.nodes, scope, stack);
    return {
      name: graph.name,
      docString: graph.docString,
      metadata: graph.metadata,
      nodes: nodes.map((node, index) => ({ ...node, index })),
      inputs: graph.inputs.map(value),
      outputs: graph.outputs.map(value),
      initializers,
      valueInfo: new Map(
        [...graph.valueInfo.values()].map(value).map(info => [info.name, info] as const),
      ),
      valueMetadata: new Map(
        [...graph.valueMetadata].map(([name, entries]) => [scope.of(name), entries] as const),
      ),
      overridable: new Set([...graph.overridable].map(name => scope.of(name))),
    };
  }
}

const merged = (
  outer: ReadonlyMap<string, string>,
  inner: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> => (outer.size === 0 ? inner : new Map([...outer, ...inner]));

const identity = (call: Node, input: string, output: string): Node => ({
  index: 0,
  name: '',
  op: 'Identity',
  domain: '',
  overload: '',
  inputs: [input],
  outputs: [output],
  attributes: new Map(),
  docString: '',
  metadata: call.metadata,
  span: null,
});
