import type { Attributor } from './attributor';
import { gradientOf } from './inputGradient';

const withMode = (name: Attributor['name'], mode: 'guided' | 'deconvolution'): Attributor => ({
  name,
  async attribute(request) {
    const { values, value, noPath } = await gradientOf(request, { mode });
    return { kind: 'tensor', grid: request.input.grid, values, value, noPath, options: {} };
  },
});

/** Guided backpropagation (Springenberg et al. 2015, arXiv 1412.6806): Relu passes d·[x > 0]·[d > 0]; other operators keep their derivative. */
export const guidedBackprop = withMode('guided-backprop', 'guided');

/** Deconvolution (Zeiler and Fergus 2014, arXiv 1311.2901; captum `Deconvolution`): Relu passes d·[d > 0]. */
export const deconvolution = withMode('deconvolution', 'deconvolution');
