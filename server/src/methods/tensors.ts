import { valueOf } from './layerMaps';
import type { Method } from './method';
import { tensorResult } from './tensorResult';

/** Values of any tensors of the main graph, in their own types. */
export const tensors: Method<'tensors'> = {
  name: 'tensors',
  runs: true,
  async compute(params, context) {
    const started = performance.now();
    const run = await context.values(params.feeds, params.tensors);
    return {
      tensors: params.tensors.map(name => tensorResult(name, valueOf(run, name))),
      times: { ...run.times, totalMs: performance.now() - started },
      warnings: run.warnings,
    };
  },
};
