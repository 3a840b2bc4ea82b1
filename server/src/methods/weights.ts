import { layerById } from './layerMaps';
import { layerWeight } from './layerWeight';
import type { Method } from './method';
import { tensorResult } from './tensorResult';

/** The weight of a layer as it is: its shape as the layer uses it, real values where it is quantised. */
export const weights: Method<'weights'> = {
  name: 'weights',
  runs: false,
  async compute(params, context) {
    const weight = layerWeight(context, layerById(context, params.layer));
    return { tensor: tensorResult(weight.name, weight.tensor), notes: weight.notes };
  },
};
