import type { LayerInfo } from '../../../protocol/model';
import { elementCount } from '../onnx/tensor';

/** Taken for an output whose size only a run tells. */
const GUESSED_ELEMENTS = 2 ** 20;

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
    const sizes = layer.outputShape?.filter(size => typeof size === 'number');
    const known = sizes !== undefined && sizes.length === layer.outputShape?.length;
    const needed = 4 * (known ? elementCount(sizes) : GUESSED_ELEMENTS);
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
