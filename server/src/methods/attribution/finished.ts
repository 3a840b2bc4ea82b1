import type { AttributionMethod } from '../../../../protocol/attribution';
import type { Tensor } from '../../onnx/tensor';
import type { Attribution, AttributionRequest } from './attributor';

/** What is known when an attribution is there. */
export interface Finished {
  readonly request: AttributionRequest;
  readonly attribution: Attribution;
  readonly method: AttributionMethod;
  /** The target tensor of the run. */
  readonly value: Tensor;
}

/** The values of the first image, of each layer or of the tensor. */
export const valuesOf = ({ attribution }: Finished): readonly Float32Array[] =>
  attribution.kind === 'layer'
    ? attribution.maps.map(({ grid, values }) => values.subarray(0, grid.positions))
    : [attribution.values.subarray(0, attribution.values.length / attribution.grid.images)];
