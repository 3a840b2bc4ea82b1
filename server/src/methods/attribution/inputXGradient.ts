import { toFloat32 } from '../../onnx/numbers';
import type { Attributor } from './attributor';
import { gradientOf } from './inputGradient';

/** x ⊙ ∂y/∂x (Shrikumar et al. 2016, arXiv 1605.01713; captum `InputXGradient`). */
export const inputXGradient: Attributor = {
  name: 'input-x-gradient',
  async attribute(request) {
    const { values, value, noPath } = await gradientOf(request);
    const x = toFloat32(request.input.tensor);
    return {
      kind: 'tensor',
      grid: request.input.grid,
      values: values.map((slope, i) => slope * (x[i] ?? 0)),
      value,
      noPath,
      options: {},
    };
  },
};
