import type { Model, TensorRef } from '../onnx/graph';
import type { InferredValues } from '../onnx/shapes/inferShapes';
import type { Tensor } from '../onnx/tensor';
import { normalize } from './normalize';
import type { MissingFacts } from './differentiate';
import type { GradientPlan } from './plan';

/** A model in the form that is differentiated, for inputs of one shape. */
export interface Prepared {
  /** Local functions, decided branches and fused operators written out, float16 as float32. Tensors keep their names. */
  readonly model: Model;
  readonly facts: InferredValues;
  /** Sentence that says why gradients are an estimate; null where they are exact. */
  readonly approximate: string | null;
  /** False where the model is the original: values of its runs are those of the form. */
  readonly changed: boolean;
  /** Tells this form from the others of the same model. */
  readonly key: string;
  /** Graphs that were written for questions, by key. */
  readonly plans: Map<string, GradientPlan>;
  /** What only a run tells, by question. */
  readonly missing: Map<string, MissingFacts>;
}

/** Forms that are kept of one model. */
const MOST_KEPT = 4;

const kept = new WeakMap<Model, Map<string, Prepared>>();

export interface PrepareOptions {
  /** Shapes that are fed, by graph input. */
  readonly inputs: ReadonlyMap<string, readonly number[]>;
  /** Values of conditions that only a run tells, by tensor. */
  readonly conditions: ReadonlyMap<string, readonly number[]>;
  infer(model: Model, inputs: ReadonlyMap<string, readonly number[]>): InferredValues;
  readTensor(ref: TensorRef): Tensor;
}

/** The form of a model that is differentiated. The last four of a model are kept, for as long as the model is. */
export function prepare(model: Model, options: PrepareOptions): Prepared {
  const key = JSON.stringify([[...options.inputs], [...options.conditions]]);
  const forms = kept.get(model) ?? new Map<string, Prepared>();
  kept.set(model, forms);
  const known = forms.get(key);
  forms.delete(key);
  const form = known ?? made(model, options, key);
  forms.set(key, form);
  for (const old of [...forms.keys()].slice(0, -MOST_KEPT)) forms.delete(old);
  return form;
}

function made(model: Model, options: PrepareOptions, key: string): Prepared {
  const facts = withElements(options.infer(model, options.inputs), options.conditions);
  const normal = normalize(model, facts, ref => options.readTensor(ref));
  return {
    ...normal,
    facts: normal.changed ? options.infer(normal.model, options.inputs) : facts,
    key,
    plans: new Map(),
    missing: new Map(),
  };
}

/** Facts with values that a run told. */
export const withElements = (
  facts: InferredValues,
  told: ReadonlyMap<string, readonly number[]>,
): InferredValues =>
  told.size === 0
    ? facts
    : { shapes: facts.shapes, elements: name => told.get(name) ?? facts.elements(name) };
