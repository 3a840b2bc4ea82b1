import type { Model } from '../../onnx/graph';
import type { InferredValues } from '../../onnx/shapes/inferShapes';

/** A graph on its way to the form that is differentiated, with what is known of its tensors for the fed inputs. */
export interface Form {
  readonly model: Model;
  readonly facts: InferredValues;
}

/** One step of the way: gives the same model where there is nothing to do. Changes no graph, but makes new ones. */
export type Pass = (form: Form) => Model;
