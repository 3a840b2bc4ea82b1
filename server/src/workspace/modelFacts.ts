import { resolveConstant } from '../onnx/constants';
import type { Model, TensorRef } from '../onnx/graph';
import { inputStart } from '../onnx/inputStart';
import { toNumbers } from '../onnx/numbers';
import type { Tensor } from '../onnx/tensor';
import type { ValueInfo } from '../../../protocol/model';
import type { ModelFacts } from './preprocessing/facts';

/** What the detection of preprocessing and labels needs to know of an opened model. Reads small constants only. */
export function modelFacts(
  model: Model,
  shapes: ReadonlyMap<string, ValueInfo>,
  read: (ref: TensorRef) => Tensor,
): ModelFacts {
  const constant = (name: string): readonly number[] | null => {
    const resolved = resolveConstant(model, model.graph, name, read);
    return resolved && toNumbers(resolved.tensor);
  };
  const { inputs, outputs } = model.graph;
  return {
    inputs,
    outputs: outputs.map(output => shapes.get(output.name) ?? output),
    metadata: model.metadata,
    starts: new Map(
      inputs.map(({ name }) => [name, inputStart(model.graph, shapes, name, constant)]),
    ),
  };
}
