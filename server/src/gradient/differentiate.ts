import type { Graph, Model, Node, TensorRef } from '../onnx/graph';
import { isKnown } from '../onnx/shapes/dimensions';
import type { InferredValues } from '../onnx/shapes/inferShapes';
import { activePath } from './activePath';
import { NoGradientError } from './errors';
import { Operators, sameShape } from './operators';
import { NoDerivative, RuleNode, type GradientMode } from './rule';
import { ruleFor } from './rules';
import { gradientType, type Value } from './value';

/** What is asked of the derivative engine: d(Σ seed · target)/d(each of `withRespectTo`). */
export interface Question {
  readonly target: string;
  readonly withRespectTo: readonly string[];
  readonly mode: GradientMode;
}

/** A graph that is being extended, with the gradients that were asked for. */
export interface Derivation {
  readonly e: Operators;
  /** The gradient of each tensor of `withRespectTo`, of its shape; null where no path leads from it to the target. */
  readonly gradients: ReadonlyMap<string, Value | null>;
}

/**
 * Emits the backward part behind `model` by reverse accumulation (Griewank and Walther, "Evaluating Derivatives", ch. 3): along the active
 * path from the target back, each node's rule gives the gradients of its inputs, and gradients of one tensor are summed. `seed` makes the gradient of the target itself, of the target's shape. All shapes on the active
 * path have to be known to `facts` (see `missingFacts`).
 * @throws NoGradientError naming the last node that has no derivative.
 */
export function differentiate(
  model: Model,
  facts: InferredValues,
  question: Question,
  seed: (e: Operators, target: Value) => Value,
): Derivation {
  const e = new Operators(model, facts);
  const { nodes, reached } = activePath(
    model.graph,
    facts,
    question.withRespectTo,
    question.target,
  );
  const gathered = new Map<string, Value[]>();
  const gradientOf = (name: string): Value | null => {
    const parts = gathered.get(name);
    if (!parts || parts.length === 0) return null;
    const total = e.sum(parts);
    gathered.set(name, [total]);
    return total;
  };
  gathered.set(question.target, [seed(e, e.tensor(question.target))]);
  for (const node of nodes.toReversed()) {
    const outputs = node.outputs.map(name => (name === '' ? null : gradientOf(name)));
    if (outputs.every(gradient => gradient === null)) continue;
    for (const [name, part] of inputGradients(model, facts, question, node, outputs, reached, e))
      gathered.set(name, [...(gathered.get(name) ?? []), part]);
  }
  return {
    e,
    gradients: new Map(question.withRespectTo.map(name => [name, gradientOf(name)])),
  };
}

function inputGradients(
  model: Model,
  facts: InferredValues,
  question: Question,
  node: Node,
  outputs: readonly (Value | null)[],
  reached: ReadonlySet<string>,
  e: Operators,
): readonly (readonly [string, Value])[] {
  try {
    const rule = ruleFor(node);
    const isContained = (name: string) => facts.shapes.get(name)?.container !== undefined;
    if (!rule || node.inputs.some(isContained)) throw new NoDerivative(node, '');
    const gradients = rule.vjp(new RuleNode(node, question.mode, e, outputs), e);
    return node.inputs.flatMap((name, index) => {
      const gradient = reached.has(name) ? gradients[index] : null;
      if (!gradient) return [];
      return [[name, checked(gradient(), e.tensor(name), node)] as const];
    });
  } catch (error) {
    if (!(error instanceof NoDerivative)) throw error;
    throw new NoGradientError(
      error.node,
      error.reason,
      workingTensors(model, facts, question, error.node),
    );
  }
}

/** A rule that gives another shape or type than its input's is wrong. */
function checked(gradient: Value, input: Value, node: Node): Value {
  const type = gradientType(input.dtype);
  if (sameShape(gradient.shape, input.shape) && gradient.dtype === type) return gradient;
  throw new Error(
    `the rule of ${node.op} gives ${gradient.dtype} [${gradient.shape.join()}] for an input of ${input.dtype} [${input.shape.join()}]`,
  );
}

/** Tensors from which the target can be reached without passing the obstacle, in the order of the graph. The walk goes from the target back, so nothing behind the obstacle is one itself. */
function workingTensors(
  { graph }: Model,
  facts: InferredValues,
  { target }: Question,
  obstacle: Node,
): readonly string[] {
  const behind = graph.nodes.slice(graph.nodes.indexOf(obstacle) + 1);
  return behind
    .flatMap(node => node.outputs)
    .filter(name => name !== '' && gradientType(facts.shapes.get(name)?.dtype ?? 'undefined'))
    .filter(name => name !== target && activePath(graph, facts, [name], target).nodes.length > 0)
    .slice(0, MOST_WORKING);
}

const MOST_WORKING = 200;

/** Names of tensors, see `missingFacts`. */
export interface MissingFacts {
  readonly shapes: readonly string[];
  readonly elements: readonly string[];
}

/**
 * Tensors whose type or shape, or whose elements where a rule needs them, are not known for a question: to be fetched from a run and added
 * to the facts before `differentiate`.
 */
export function missingFacts(
  graph: Graph,
  facts: InferredValues,
  question: Question,
): MissingFacts {
  const { nodes } = activePath(graph, facts, question.withRespectTo, question.target);
  const shapes = new Set<string>();
  const elements = new Set<string>();
  const needShape = (name: string): void => {
    const { dtype, shape, container } = facts.shapes.get(name) ?? NOTHING;
    if (name === '' || container !== undefined) return;
    if (dtype === 'undefined' || !isKnown(shape)) shapes.add(name);
  };
  for (const name of [question.target, ...question.withRespectTo]) needShape(name);
  for (const node of nodes) {
    for (const name of [...node.inputs, ...node.outputs]) needShape(name);
    for (const index of ruleFor(node)?.known ?? []) {
      const name = node.inputs[index] ?? '';
      if (name !== '' && facts.elements(name) === null) elements.add(name);
    }
  }
  return { shapes: [...shapes], elements: [...elements] };
}

const NOTHING = { dtype: 'undefined', shape: null, container: undefined } as const;

/** A model with what was emitted behind its nodes, and these inputs besides its own. */
export function withEmitted(model: Model, e: Operators, inputs: readonly Value[]): Model {
  const { graph } = model;
  const initializers = new Map<string, TensorRef>([...graph.initializers, ...e.initializers]);
  return {
    ...model,
    graph: {
      ...graph,
      nodes: [...graph.nodes, ...e.nodes].map((node, index) => ({ ...node, index })),
      inputs: [
        ...graph.inputs,
        ...inputs.map(({ name, dtype, shape }) => ({ name, dtype, shape })),
      ],
      initializers,
    },
  };
}
