import type { Model } from '../onnx/graph';
import type { InferredValues } from '../onnx/shapes/inferShapes';
import { cutAt } from './cut';
import { differentiate, withEmitted, type Question } from './differentiate';
import type { Operators } from './operators';
import { gradientType, type Value } from './value';

/** A question, and what the graph for it is to give besides gradients. */
export interface PlannedQuestion extends Question {
  /** Whether the graph has an input that adds one at each image's highest element of the target to the seed. */
  readonly top: boolean;
  /** The graph runs from the model's own inputs, not from the tensors in question. */
  readonly whole?: boolean;
  /** Emits further outputs from activations and gradients; part of the plan's key by its name. */
  readonly reduce?: Reduction;
}

/** What is made of a tensor and its gradient inside the graph, so that only that leaves it. */
export interface Reduction {
  readonly name: string;
  emit(e: Operators, activation: Value, gradient: Value): Value;
}

/** A graph that answers a question for inputs of one shape, as often as it is run. */
export interface GradientPlan {
  readonly model: Model;
  /** Tensors of the whole graph that it is fed besides the seed. */
  readonly inputs: readonly string[];
  /** Input of the target's shape and gradient type. */
  readonly seed: Value;
  /** Scalar input: 1 adds the highest element of each image to the seed, 0 does not. Null where it was not asked for. */
  readonly top: Value | null;
  readonly target: string;
  /** Output by tensor; null where no path leads to the target. What it holds is the gradient, or what `reduce` made of it. */
  readonly gradients: ReadonlyMap<string, string | null>;
  /** Tensors in question that this graph computes itself and gives, where nothing is made of them inside it. */
  readonly activations: readonly string[];
}

/**
 * Writes the graph for a question: the model cut at the tensors in question, its backward part, and a seed that is fed at run time, so that one session
 * serves all classes, channels and elements of the target. @throws what `differentiate` throws.
 */
export function planGradient(
  model: Model,
  facts: InferredValues,
  question: PlannedQuestion,
): GradientPlan {
  const inputNames = model.graph.inputs.map(({ name }) => name);
  const tail = cutAt(model, facts, question.whole ? inputNames : question.withRespectTo);
  const inputs: Value[] = [];
  const { e, gradients } = differentiate(tail.model, facts, question, (emitter, target) => {
    const dtype = gradientType(target.dtype);
    if (!dtype) throw new Error(`${target.name} is no float tensor`);
    const seed = emitter.input('seed', dtype, target.shape);
    inputs.push(seed);
    if (!question.top) return seed;
    const flag = emitter.input('top', dtype, []);
    inputs.push(flag);
    return emitter.add(seed, emitter.mul(flag, highest(emitter, target)));
  });
  const outputs = new Map<string, string | null>();
  for (const [name, gradient] of gradients)
    outputs.set(
      name,
      gradient &&
        (question.reduce ? question.reduce.emit(e, e.tensor(name), gradient) : gradient).name,
    );
  const [seed, top] = inputs;
  if (!seed) throw new Error('no seed was made');
  return {
    model: withEmitted(tail.model, e, inputs),
    inputs: tail.inputs,
    seed,
    top: top ?? null,
    target: question.target,
    gradients: outputs,
    activations: question.reduce
      ? []
      : question.withRespectTo.filter(name => !tail.inputs.includes(name)),
  };
}

/** One at the first highest element of each image, else zero; of the target's shape. */
function highest(e: Operators, target: Value): Value {
  const batch = target.shape[0] ?? 1;
  const count = target.shape.slice(1).reduce((a, b) => a * b, 1);
  const rows = e.reshape(target, [batch, count]);
  const best = e.node('ArgMax', [rows], { axis: 1, keepdims: 1 });
  const one = e.asNumber(e.equal(e.ints([...Array(count).keys()], [1, count]), best), rows.dtype);
  return e.reshape(one, target.shape);
}

/** The key of a question among those of one prepared model. */
export const questionKey = (question: PlannedQuestion): string =>
  JSON.stringify([
    'gradient',
    question.target,
    [...question.withRespectTo].sort(),
    question.mode,
    question.top,
    question.whole ?? false,
    question.reduce?.name ?? null,
  ]);
