import type {
  AttributionMethod,
  AttributionOptions,
  ExplainResult,
} from '../../../../protocol/attribution';
import type { ModelFeeds } from '../../../../protocol/methods';
import type { Tensor } from '../../onnx/tensor';
import type { MethodContext } from '../method';
import type { Derivatives } from './derivatives';
import type { LayerGrid } from './layerGrid';
import type { Target } from './targets';

/** What a method is given. */
export interface AttributionRequest {
  readonly derivatives: Derivatives;
  readonly target: Target;
  /** The layers in question, at least one for methods of a layer. */
  readonly grids: readonly LayerGrid[];
  /** The input that is explained. */
  readonly input: InputTensor;
  readonly options: AttributionOptions;
  readonly feeds: ModelFeeds;
  readonly context: MethodContext;
  /** How far it is, 0…1, and what makes the attribution so far: it is not asked for each time, and only right away. */
  report(fraction: number, message: string, partial?: () => Attribution): void;
}

/** A graph input that is explained, with how it is laid out. */
export interface InputTensor {
  readonly name: string;
  readonly tensor: Tensor;
  readonly grid: LayerGrid;
}

/** A map of a layer, [images, rows, columns], as it is. */
export interface LayerMap {
  readonly grid: LayerGrid;
  readonly values: Float32Array;
}

export type Attribution = (
  | { readonly kind: 'layer'; readonly maps: readonly LayerMap[] }
  /** A value for each element of a tensor: of the input, or of a layer's output where its gradient is asked for. */
  | {
      readonly kind: 'tensor';
      readonly grid: LayerGrid;
      readonly values: Float32Array;
      /** True where all channels of a place have the value of the place, which is not to be summed over them. */
      readonly perPlace?: boolean;
    }
) & {
  /** The target tensor of the run; null where no run gave it. */
  readonly value: Tensor | null;
  /** Every option that was used. */
  readonly options: ExplainResult['options'];
  readonly completeness?: ExplainResult['completeness'];
  /** True where no path leads from what is explained to the target. */
  readonly noPath?: boolean;
  /** Layers whose gradient is zero everywhere. */
  readonly zeroGradient?: boolean;
};

/** One attribution method: a file each, listed in index.ts. */
export interface Attributor {
  readonly name: AttributionMethod;
  /** Throws what derivatives and runs throw. */
  attribute(request: AttributionRequest): Promise<Attribution>;
}
