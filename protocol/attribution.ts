import type { RunParams, RunRecord } from './methods';
import type { ErrorAction } from './errors';
import type { PictureGeometry } from './preprocessing';

/** Methods that say which places of the input, or of a layer, a target depends on. What each is stands in `attributionFacts.ts`. */
export type AttributionMethod =
  | 'grad-cam'
  | 'grad-cam++'
  | 'layer-cam'
  | 'hires-cam'
  | 'xgrad-cam'
  | 'eigen-cam'
  | 'score-cam'
  | 'ablation-cam'
  | 'gradient'
  | 'input-x-gradient'
  | 'guided-backprop'
  | 'deconvolution'
  | 'guided-grad-cam'
  | 'integrated-gradients'
  | 'smooth-grad'
  | 'occlusion'
  | 'rise';

/** The scalar that is explained. Of class scores it is the value before a final Softmax (or Sigmoid). */
export type TargetSpec =
  /** The highest class; where the model gives no class scores, its best detection, or the sum of its first float output. */
  | { readonly kind: 'top' }
  | { readonly kind: 'class'; readonly index: number }
  /** Why this and not that: score of `index` less that of `minus`. */
  | { readonly kind: 'difference'; readonly index: number; readonly minus: number }
  /** One element of exactly this tensor; the first index is the batch, and with a larger batch the others are taken in every image. */
  | { readonly kind: 'element'; readonly tensor: string; readonly index: readonly number[] }
  /** Σ tensor · weights, the weights from a .npy file (absolute path) of the tensor's shape. */
  | { readonly kind: 'weighted'; readonly tensor: string; readonly weights: string }
  /** Mean of a channel of any tensor with a grid, or one of its positions. */
  | {
      readonly kind: 'channel';
      readonly tensor: string;
      readonly channel: number;
      readonly row?: number;
      readonly column?: number;
    }
  /** The score of a detection: the N-th of `attributionTargets` (from the highest score, overlapping ones removed). */
  | { readonly kind: 'box'; readonly index: number }
  /**
   * Segmentation: mean score of a class where a mask is (a picture, absolute path, white counts), inside a box in fractions of the fed
   * picture, or, without either, where the class is the highest.
   */
  | {
      readonly kind: 'mask';
      readonly class: number;
      readonly mask?: string;
      readonly region?: FractionBox;
    }
  /** Sum of the model's first float output. */
  | { readonly kind: 'sum' };

/** A box in fractions 0…1 of the fed picture's width and height. */
export interface FractionBox {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

export type IntegrationRule = 'trapezoid' | 'left' | 'right' | 'middle' | 'gauss-legendre';
export type NoiseReduction = 'mean' | 'mean-abs' | 'square' | 'variance';
export type BaselineSpec =
  | { readonly kind: 'zero' | 'mean' | 'blur' }
  /** A picture or .npy, absolute path, fed like the input. */
  | { readonly kind: 'file'; readonly path: string };

/** What is left out takes the method's default, which the result states. */
export interface AttributionOptions {
  /** Integrated Gradients: points on the path (50). */
  readonly steps?: number;
  readonly rule?: IntegrationRule;
  /** Integrated Gradients, occlusion: what "nothing there" is (zero). */
  readonly baseline?: BaselineSpec;
  /** SmoothGrad: noisy copies (25), standard deviation in units of the fed tensor's range (0.15), fixed noise from a .npy file. */
  readonly samples?: number;
  readonly sigma?: number;
  readonly noise?: string;
  readonly reduce?: NoiseReduction;
  /** Of everything random (0). */
  readonly seed?: number;
  /** Score-CAM, Ablation-CAM: channels with the largest mean square (64). */
  readonly channelsUsed?: number | 'all';
  /** Occlusion: side of the window and its step, in fed pixels. */
  readonly window?: number;
  readonly stride?: number;
  /** RISE: number of masks (1000), cells along the shorter side (7), share of cells that stay visible (0.5). */
  readonly masks?: number;
  readonly cell?: number;
  readonly keep?: number;
  /** Where pytorch-grad-cam and captum differ from the definition used here, whose convention is followed. */
  readonly convention?: 'captum' | 'pytorch-grad-cam';
}

export interface ExplainParams extends RunParams {
  readonly method: AttributionMethod;
  /**
   * Layer ids or tensor names, for methods of a layer; none: the suggested one. Several: the mean of their normalised maps. For `gradient` one tensor: the gradient with respect to it.
   */
  readonly layers: readonly string[];
  readonly target: TargetSpec;
  readonly options?: AttributionOptions;
  /** `map` leaves `attribution` and `heatmap` empty, as partial results do: a view needs the native map only. */
  readonly want: 'map' | 'full';
  /** For views that move from layer to layer: what `layerHeatmaps` kept is looked up, and activations of all layers are kept. */
  readonly ahead?: boolean;
}

/** The scalar that was explained. */
export interface ResolvedTarget {
  readonly spec: TargetSpec;
  /** The tensor that was differentiated, and its element where it is a single one. */
  readonly tensor: string;
  readonly index: readonly number[] | null;
  /** The class, where the target is one class. */
  readonly classIndex: number | null;
  /** Value of the scalar (first image of the batch). */
  readonly score: number;
  /** In words, without a class's label: `class 207`, `channel 3 of layer4`, `detection 2`. */
  readonly words: string;
}

/** Something a person should know of a map: one sentence, and a button to the likely remedy. */
export interface Finding {
  readonly kind:
    | 'negative'
    | 'empty'
    | 'noPath'
    | 'saturated'
    | 'dead'
    | 'preprocessing'
    | 'notFinite'
    | 'incomplete'
    | 'approximate'
    | 'onePlace'
    | 'limit';
  readonly severity: 'information' | 'warning';
  readonly message: string;
  readonly remedy?: Remedy;
}

/** What the button of a finding does: changes what is shown, or runs a command. */
export type Remedy =
  | { readonly kind: 'signed'; readonly title: string }
  | { readonly kind: 'layer'; readonly title: string; readonly layer: string }
  | { readonly kind: 'method'; readonly title: string; readonly method: AttributionMethod }
  | { readonly kind: 'target'; readonly title: string; readonly target: TargetSpec }
  | { readonly kind: 'command'; readonly title: string; readonly action: ErrorAction };

/** A class of a prediction; `probability` is after a softmax where the scores are none yet. */
export interface PredictedClass {
  readonly index: number;
  readonly score: number;
  readonly probability: number;
}

export interface ExplainResult extends RunRecord {
  readonly method: AttributionMethod;
  /** The layers the map is of; empty for methods on the input. `id` is null for tensors that no layer gives. */
  readonly layers: readonly { readonly id: string | null; readonly tensor: string }[];
  /** Why this layer, where none was asked for. */
  readonly layerReason: string | null;
  readonly target: ResolvedTarget;
  /** The five highest classes (first image); null where the model gives no class scores. */
  readonly predicted: readonly PredictedClass[] | null;
  /** The native grid of the map of the first image. For methods on the input: the input's height and width. */
  readonly rows: number;
  readonly columns: number;
  /**
   * [rows, columns]: a layer's map as it is, signed, not rectified, not normalised; of several layers, and of methods on the input summed over
   * the colour channels, signed.
   */
  readonly map: Float32Array;
  /** [rows, columns]: Σ |attribution| over the colour channels, for methods on the input; null for maps of a layer. */
  readonly magnitude: Float32Array | null;
  /** Smallest and largest value of `map`. */
  readonly minimum: number;
  readonly maximum: number;
  /** Raw, native resolution: [batch, rows, columns] for maps of a layer, the input's (or tensor's) shape for gradients. */
  readonly attribution: Float32Array;
  readonly attributionShape: readonly number[];
  /** Normalised to 0…1 at the input's resolution, [batch, height, width]. */
  readonly heatmap: Float32Array;
  readonly heatmapShape: readonly number[];
  readonly geometry: PictureGeometry | null;
  /** Every option that the method used, defaults included. */
  readonly options: Readonly<Record<string, string | number>>;
  /** Integrated Gradients: Σ attribution beside F(x) − F(baseline). */
  readonly completeness: {
    readonly sum: number;
    readonly difference: number;
    /** |sum − difference| as a share of |difference|. */
    readonly gap: number;
  } | null;
  /** Sentence that says why gradients are an estimate (quantised model); null where they are exact. */
  readonly approximate: string | null;
  readonly findings: readonly Finding[];
  readonly gradientMs: number;
}

/**
 * Grad-CAM of every layer with a grid in one run, kept by the engine: `explain` with `ahead` is a look-up from then on. Asked for in the background after the first map of a picture and target.
 */
export interface LayerHeatmapsParams extends RunParams {
  readonly target: TargetSpec;
  /** Ids of the layers in question; every layer with a grid where left out, and only those are looked up by `explain`. */
  readonly layers?: readonly string[];
}
export interface LayerHeatmapsResult extends RunRecord {
  /** Ids of the layers whose maps are kept. */
  readonly layers: readonly string[];
  readonly gradientMs: number;
}

/** What can be explained for an input. */
export type AttributionTargetsParams = RunParams;

export interface Detection {
  /** Of the fed picture. */
  readonly box: FractionBox;
  readonly classIndex: number;
  readonly score: number;
}

export interface AttributionTargetsResult extends RunRecord {
  readonly kind: 'classes' | 'detections' | 'segmentation' | 'other';
  /** The five highest classes; null where there are no class scores. */
  readonly predicted: readonly PredictedClass[] | null;
  readonly classCount: number | null;
  /** From the highest score, overlapping ones removed, at most 50. */
  readonly detections: readonly Detection[];
  /** Classes that are the highest somewhere, by their share of the picture. */
  readonly segments: readonly { readonly classIndex: number; readonly share: number }[];
  /** The last layer with a spatial grid before the target; null where there is none. */
  readonly suggestedLayer: {
    readonly layer: string;
    readonly tensor: string;
    readonly reason: string;
  } | null;
  /** Ids of layers that have a grid and a way to the target, in order. */
  readonly layersWithGrid: readonly string[];
}
