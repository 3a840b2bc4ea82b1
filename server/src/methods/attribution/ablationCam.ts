import { toFloat32 } from '../../onnx/numbers';
import type { Tensor } from '../../onnx/tensor';
import { channelCam, type TriedLayer } from './channelCam';
import { tensorWith } from './derivatives';

/**
 * Ablation-CAM (Desai and Ramaswamy 2020, WACV, eq. 5 and 6 without the final ReLU): w_c = (y − y_c) / y, y_c the target's value with channel c
 * set to zero everywhere (of tokens also in front of the grid); map = Σ_c w_c A_c. Where y is 0, w_c is the difference itself. pytorch-grad-cam does the
 * same at layers whose smallest activation is 0; at others it sets the channel to the smallest activation less 10⁷. Channels that
 * are not used have no weight.
 */
export const ablationCam = channelCam('ablation-cam', {
  async prepare({ derivatives, target }, layer) {
    const { tensor } = layer.grid;
    const run = await derivatives.behind(target.tensor, [tensor]);
    return channels => run(new Map([[tensor, without(layer, channels)]]));
  },
  weights: (scores, whole) => scores.map(score => (whole - score) / (whole === 0 ? 1 : whole)),
});

/** The layer's activation with one channel of each image set to zero. */
function without({ grid, activation, units }: TriedLayer, channels: readonly number[]): Tensor {
  const values = toFloat32(activation).slice();
  const perImage = values.length / grid.images;
  const stride = grid.view.channelStride;
  for (const [image, channel] of channels.entries())
    for (let i = 0; i < perImage; i++)
      if (Math.floor(i / stride) % grid.channels === channel)
        values[image * perImage + i] = units.zero;
  return tensorWith(activation.dtype, activation.shape, values);
}
