import { UserError } from '../../../../protocol/errors';
import { toFloat32 } from '../../onnx/numbers';
import type { Tensor } from '../../onnx/tensor';
import type { InputTensor } from './attributor';
import { tensorWith } from './derivatives';

/** An input of which places can be hidden. */
export interface MaskedInput {
  readonly rows: number;
  readonly columns: number;
  /** x · mask + base · (1 − mask): `mask` is [images, rows, columns], the same for all channels. */
  with(mask: Float32Array): Tensor;
}

/**
 * Prepares an input for masks. `base` is what stands where nothing is visible, in the input's layout; zero where left out.
 * @throws UserError `unsupported` for inputs without places.
 */
export function maskedInput({ name, tensor, grid }: InputTensor, base?: Float32Array): MaskedInput {
  if (grid.view.layout === 'vector')
    throw new UserError(
      'unsupported',
      `The input "${name}" has no places that could be hidden (shape [${grid.shape.join(', ')}]); use a method with gradients, such as integrated-gradients.`,
    );
  const values = toFloat32(tensor);
  const places = grid.placesOfElements();
  return {
    rows: grid.rows,
    columns: grid.columns,
    with: mask => {
      const changed = values.slice();
      for (let i = 0; i < changed.length; i++) {
        const place = places[i] ?? -1;
        if (place < 0) continue;
        const share = mask[place] ?? 0;
        const hidden = base?.[i] ?? 0;
        changed[i] = hidden + share * ((values[i] ?? 0) - hidden);
      }
      return tensorWith(tensor.dtype, tensor.shape, changed);
    },
  };
}
