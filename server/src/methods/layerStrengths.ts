import type { ModelFeeds } from '../../../protocol/methods';
import type { LayerInfo } from '../../../protocol/model';
import { elementCount } from '../onnx/tensor';
import { elementReader } from './elements';
import { layerById } from './layerMaps';
import type { Method, MethodContext } from './method';
import { isReadable, outputParts } from './outputParts';
import { summarize } from './statistics';

/** Bytes of outputs that one run keeps; larger models are run in parts. */
const PART_BYTES = 256 * 2 ** 20;

/**
 * For each layer whose output can be read: its mean magnitude divided by that of the strongest layer of its kind, 0…1. Kinds are kept
 * apart because a normalisation's output is not on the scale of a convolution's.
 */
export const layerStrengths: Method<'layerStrengths'> = {
  name: 'layerStrengths',
  runs: true,
  async compute(params, context) {
    const magnitudes = new Map<string, number>();
    const parts = outputParts(context.layers.filter(isReadable), PART_BYTES);
    for (const [index, part] of parts.entries()) {
      context.signal.throwIfAborted();
      context.report({ fraction: index / parts.length });
      for (const [id, magnitude] of await partMagnitudes(params.feeds, part, context))
        magnitudes.set(id, magnitude);
    }
    const strongest = new Map<string, number>();
    const kindOf = (id: string): string => layerById(context, id).kind;
    for (const [id, magnitude] of magnitudes)
      strongest.set(kindOf(id), Math.max(magnitude, strongest.get(kindOf(id)) ?? 0));
    return {
      layers: [...magnitudes.keys()],
      strengths: Float32Array.from(
        magnitudes,
        ([id, magnitude]) => magnitude / (strongest.get(kindOf(id)) || 1),
      ),
    };
  },
};

async function partMagnitudes(
  feeds: ModelFeeds,
  part: readonly LayerInfo[],
  context: MethodContext,
): Promise<ReadonlyMap<string, number>> {
  const tensors = part.flatMap(layer => layer.outputs.slice(0, 1));
  const run = await context.values(feeds, tensors, { ahead: true });
  const result = new Map<string, number>();
  for (const layer of part) {
    context.signal.throwIfAborted();
    const name = layer.outputs[0] ?? '';
    const tensor = run.tensors.get(name);
    if (!tensor || !ArrayBuffer.isView(tensor.data)) continue;
    const summary = summarize(elementCount(tensor.shape), elementReader(tensor, name));
    result.set(layer.id, summary.meanMagnitude);
  }
  return result;
}
