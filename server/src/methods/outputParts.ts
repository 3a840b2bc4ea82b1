import type { LayerInfo } from '../../../protocol/model';
import { elementCount } from '../onnx/tensor';

/** Taken for an output of which nothing is known, and for the batch and other axes whose size only a run tells. */
const GUESSED_ELEMENTS = 2 ** 20;
const GUESSED_BATCH = 1;
const GUESSED_AXIS = 64;

/** Layers whose first output a run can give: those of the main graph. */
export const isReadable = (layer: LayerInfo): boolean =>
  layer.subgraph === '' && layer.outputs[0] !== undefined && layer.outputs[0] !== '';

/** Splits layers, in order, so that the outputs of one part take about `bytes` at most (one layer may be larger). */
export function outputParts(
  layers: readonly LayerInfo[],
  bytes: number,
): readonly (readonly LayerInfo[])[] {
  const parts: LayerInfo[][] = [];
  let room = 0;
  for (const layer of layers) {
    const sizes = layer.outputShape?.map((size, axis) =>
      typeof size === 'number' ? size : axis === 0 ? GUESSED_BATCH : GUESSED_AXIS,
    );
    const needed = 4 * (sizes ? elementCount(sizes) : GUESSED_ELEMENTS);
    const last = parts.at(-1);
    if (last && needed <= room) last.push(layer);
    else {
      parts.push([layer]);
      room = bytes;
    }
    room -= needed;
  }
  return parts;
}
