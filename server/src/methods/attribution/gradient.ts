import type { Attributor } from './attributor';
import { gradientOf } from './inputGradient';

/** The gradient itself (Simonyan et al. 2013, arXiv 1312.6034), signed: with respect to the input, or to a layer's output tensor where one is named. */
export const gradient: Attributor = {
  name: 'gradient',
  async attribute(request) {
    const [layer] = request.grids;
    const { values, value, noPath } = await gradientOf(
      request,
      layer ? { tensor: layer.tensor } : {},
    );
    return {
      kind: 'tensor',
      grid: layer ?? request.input.grid,
      values,
      value,
      noPath,
      options: {},
    };
  },
};
