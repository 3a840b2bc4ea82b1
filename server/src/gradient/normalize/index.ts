import type { Model, TensorRef } from '../../onnx/graph';
import { inferValues, type InferredValues } from '../../onnx/shapes/inferShapes';
import { isKnown } from '../../onnx/shapes/dimensions';
import type { Tensor } from '../../onnx/tensor';
import { inlineDecidedBranches } from './branches';
import type { Form, Pass } from './form';
import { widenHalfFloats } from './halfFloats';
import { rewriteNodes } from './rewrite';
import { fusedRewrites, quantizedRewrites } from './rewrites';
import { straightThrough } from './straightThrough';

/** A model in the form that is differentiated. */
export interface Normalized {
  readonly model: Model;
  /** Sentence that says why gradients are an estimate; null where they are exact. */
  readonly approximate: string | null;
  /** False where the model is the one that was given. */
  readonly changed: boolean;
}

/** Ifs are nested 64 deep at most. */
const MOST_ROUNDS = 64;

/**
 * Writes a model so that the rules meet operators that they know: branches of If whose condition is known are taken, 16-bit floats become
 * float32, fused and quantised operators are written out as standard ones of the model's opset. Tensors keep their names, and weights stay
 * references into the file. `facts` are those of the model for the fed inputs; a condition that only a run tells is known where `facts.elements`
 * gives it. A model that needs nothing is given back as it is.
 */
export function normalize(
  model: Model,
  facts: InferredValues,
  read: (ref: TensorRef) => Tensor,
): Normalized {
  let form: Form = { model, facts };
  const step = (pass: Pass): boolean => {
    const next = pass(form);
    if (next === form.model) return false;
    form = { model: next, facts: inferAnew(next, facts, read) };
    return true;
  };
  // a branch may hold an If, and what was written out tells the shapes of what comes behind it
  const settle = (pass: Pass): void => {
    for (let round = 0; round < MOST_ROUNDS && step(pass); round++);
  };
  settle(inlineDecidedBranches);
  step(widenHalfFloats);
  settle(each => rewriteNodes(each, fusedRewrites));
  settle(each => rewriteNodes(each, quantizedRewrites()));
  return {
    model: form.model,
    approximate: straightThrough(form.model.graph),
    changed: form.model !== model,
  };
}

/** Facts of a changed model for the same inputs; values that were told stay known. */
function inferAnew(
  model: Model,
  given: InferredValues,
  read: (ref: TensorRef) => Tensor,
): InferredValues {
  const inputShapes = new Map(
    model.graph.inputs.flatMap(({ name }) => {
      const shape = given.shapes.get(name)?.shape ?? null;
      return isKnown(shape) ? [[name, shape] as const] : [];
    }),
  );
  const { shapes, elements } = inferValues(model, { readConstant: read, inputShapes });
  return { shapes, elements: name => elements(name) ?? given.elements(name) };
}
