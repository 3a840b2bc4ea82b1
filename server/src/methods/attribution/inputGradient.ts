import type { GradientMode } from '../../gradient/rule';
import { toFloat32 } from '../../onnx/numbers';
import type { Tensor } from '../../onnx/tensor';
import type { AttributionRequest } from './attributor';
import type { Seed } from './derivatives';

/** A gradient with respect to a tensor, and the target's value in the same run. */
export interface TensorGradient {
  /** In the tensor's layout. Zeros where no path leads to the target. */
  readonly values: Float32Array;
  readonly value: Tensor;
  readonly noPath: boolean;
}

/** ∂(target)/∂(tensor), by default of the input that is explained. `changed` replaces graph inputs. */
export async function gradientOf(
  { derivatives, target, input }: AttributionRequest,
  options: {
    readonly mode?: GradientMode;
    readonly tensor?: string;
    readonly changed?: ReadonlyMap<string, Tensor>;
    readonly seed?: Seed;
  } = {},
): Promise<TensorGradient> {
  const name = options.tensor ?? input.name;
  const run = await derivatives.gradients(
    {
      target: target.tensor,
      withRespectTo: [name],
      mode: options.mode ?? 'gradient',
      top: target.seed.kind === 'top',
    },
    options.seed ?? target.seed,
    options.changed,
  );
  const gradient = run.gradients.get(name);
  return {
    values: gradient ? toFloat32(gradient) : new Float32Array(input.tensor.data.length),
    value: run.target,
    noPath: !gradient,
  };
}
