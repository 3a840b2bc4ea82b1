import type { Finding } from '../../../../protocol/attribution';
import { elementCount, type Tensor } from '../../onnx/tensor';
import type { AttributionRequest } from './attributor';
import { valuesOf, type Finished } from './finished';
import { rangeOfTensor, rangeOfValues } from './tensorRange';

/** Elements of a run that are looked through for the first NaN. */
const MOST_ELEMENTS = 2 ** 27;

/**
 * NaN and infinite values, and where they come from: always the input; where map or target hold some, the weights, and the first layer whose output does.
 */
export async function notFiniteFinding(finished: Finished): Promise<Finding | null> {
  const say = (message: string): Finding => ({ kind: 'notFinite', severity: 'warning', message });
  const { request, value } = finished;
  const { input } = request;
  if (isOdd(input.tensor))
    return say(
      `The input "${input.name}" holds NaN or infinite values, so the map means nothing; feed another input or change the preprocessing.`,
    );
  if (!isOdd(value) && valuesOf(finished).every(values => rangeOfValues(values).finite))
    return null;
  const weights = oddWeights(request);
  if (weights !== null)
    return say(
      `The weights "${weights}" hold NaN or infinite values, so the map means nothing; export the model again from a sound checkpoint.`,
    );
  const first = await firstOddTensor(request);
  return say(
    first === null
      ? 'The map holds NaN or infinite values: a number in the backward pass is too large for its type.'
      : `NaN or infinite values come up in this run, first in "${first}", so the map means nothing.`,
  );
}

const isOdd = (tensor: Tensor): boolean => !rangeOfTensor(tensor).finite;

/** Name of a weight with such values. */
function oddWeights({ derivatives, context }: AttributionRequest): string | null {
  for (const ref of derivatives.model.graph.initializers.values()) {
    const isFloat = ['float32', 'float64', 'float16', 'bfloat16'].includes(ref.dtype);
    if (isFloat && isOdd(context.readTensor(ref))) return ref.name;
  }
  return null;
}

/** The first output of a layer with such values; null where none has, or the run would be too large to keep. */
async function firstOddTensor({
  derivatives,
  context,
}: AttributionRequest): Promise<string | null> {
  const names = context.layers
    .filter(layer => layer.subgraph === '')
    .flatMap(layer => layer.outputs)
    .filter(name => derivatives.isFloat(name));
  const count = names.reduce((sum, name) => sum + elementCount(derivatives.shapeOf(name) ?? []), 0);
  if (count > MOST_ELEMENTS) return null;
  const tensors = await derivatives.values([...new Set(names)]);
  return (
    names.find(name => {
      const tensor = tensors.get(name);
      return tensor !== undefined && isOdd(tensor);
    }) ?? null
  );
}
