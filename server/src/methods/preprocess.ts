import type { Method } from './method';
import { tensorResult } from './tensorResult';

/** The exact tensor that a picture becomes, in the type of the graph input. */
export const preprocess: Method<'preprocess'> = {
  name: 'preprocess',
  runs: false,
  async compute(params, context) {
    const { tensor, notes } = await context.preprocess(params.path, params.preprocessing);
    return { tensor: tensorResult(params.preprocessing.input, tensor), notes };
  },
};
