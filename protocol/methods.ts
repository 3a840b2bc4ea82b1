import type {
  AttentionMapParams,
  AttentionMapResult,
  AttentionMatricesParams,
  AttentionMatricesResult,
  AttentionParams,
  AttentionResult,
  AttentionTokenParams,
  AttentionTokenResult,
  AttentionValuesParams,
  AttentionValuesResult,
  HeadAblationParams,
  HeadAblationResult,
} from './attention';
import type {
  AttributionTargetsParams,
  AttributionTargetsResult,
  ExplainParams,
  ExplainResult,
  LayerHeatmapsParams,
  LayerHeatmapsResult,
} from './attribution';
import type { DataType } from './model';
import type { PictureGeometry, PreprocessingSpec } from './preprocessing';

/** What is fed to one graph input. Paths are absolute; arrays are .npy files fed as they are. */
export type InputFeed =
  | { readonly kind: 'image'; readonly path: string; readonly preprocessing: PreprocessingSpec }
  | { readonly kind: 'array'; readonly path: string }
  /** Not an image and nothing chosen: the stated default (zeros, or ones for masks and lengths). */
  | { readonly kind: 'default' };

/** What is fed to a model: an entry for each graph input that is not left to its default. */
export type ModelFeeds = Readonly<Record<string, InputFeed>>;

/** Says which model: its absolute path. The engine reads size and time of change itself. */
export interface ModelParams {
  readonly model: string;
}
export interface LayerParams extends ModelParams {
  /** LayerInfo.id */
  readonly layer: string;
}
export interface RunParams extends ModelParams {
  readonly feeds: ModelFeeds;
}

/** What a result is a function of, for details panes and `result.json`. */
export interface RunRecord {
  readonly times: { readonly loadMs: number; readonly forwardMs: number; readonly totalMs: number };
  readonly warnings: readonly string[];
}

// ---------------------------------------------------------------- filters

/** `rgb`: the three input channels as a colour; `slices`: one input channel; the others reduce over input channels. */
export type FilterView = 'rgb' | 'slices' | 'mean' | 'norm' | 'component';

export interface FiltersParams extends LayerParams {
  readonly view?: FilterView;
  /** Input channel for `slices`. */
  readonly slice?: number;
  /** Which filters to give as tiles; all filters have statistics. */
  readonly first: number;
  readonly count: number;
}

export interface FiltersResult {
  readonly layer: string;
  readonly tensor: string;
  readonly dtype: DataType;
  /** As stored, [out, in/groups, …kernel] for convolutions. */
  readonly shape: readonly number[];
  readonly geometry: {
    readonly kernel: readonly number[];
    readonly strides: readonly number[];
    readonly pads: readonly number[];
    readonly dilations: readonly number[];
    readonly groups: number;
    readonly transposed: boolean;
  } | null;
  readonly filters: number;
  /** Input channels that each filter sees (in/groups). */
  readonly slices: number;
  readonly view: FilterView;
  readonly views: readonly FilterView[];
  readonly slice: number;
  readonly rows: number;
  readonly columns: number;
  /** 3 for `rgb`, else 1. */
  readonly planes: 1 | 3;
  readonly first: number;
  /** [count, planes, rows, columns], raw values, not scaled. */
  readonly values: Float32Array;
  /** [filters, 4]: minimum, maximum, mean, standard deviation of each filter's weights. */
  readonly statistics: Float32Array;
  /** Largest magnitude over all tiles of this view: the shared symmetric scale. */
  readonly sharedMaximum: number;
  readonly notes: readonly string[];
}

// ---------------------------------------------------------------- feature maps

/** How a tensor is read as maps: planes of rows × columns, tokens on their grid, or bars. */
export type MapLayout = 'NCHW' | 'NHWC' | 'tokens' | 'sequence' | 'vector';

export interface FeatureMapsParams extends LayerParams, RunParams {
  /** A tensor of the layer other than its first output. */
  readonly tensor?: string;
}

export interface FeatureMapsResult extends RunRecord {
  readonly layer: string;
  readonly tensor: string;
  readonly dtype: DataType;
  readonly shape: readonly number[];
  readonly layout: MapLayout;
  readonly channels: number;
  readonly rows: number;
  readonly columns: number;
  /** Tokens in front of the grid (class, distillation, register). */
  readonly prefixTokens: number;
  /** [channels, 5]: minimum, maximum, mean, variance, mean magnitude. NaN values are left out. */
  readonly statistics: Float32Array;
  readonly geometry: PictureGeometry | null;
  readonly notes: readonly string[];
}

export interface FeatureMapTilesParams extends FeatureMapsParams {
  readonly channels: readonly number[];
  /** Tiles are averaged down to at most this many pixels on the longer side. */
  readonly pixels: number;
}

export interface FeatureMapTilesResult {
  readonly tensor: string;
  readonly channels: readonly number[];
  readonly rows: number;
  readonly columns: number;
  /** [channels.length, rows, columns], quantised to 0…255 between that tile's own minimum and maximum (averaged where reduced). */
  readonly values: Uint8Array;
  /** [channels.length, 2]: the minimum and maximum that 0 and 255 stand for. */
  readonly ranges: Float32Array;
}

export interface ChannelParams extends FeatureMapsParams {
  readonly channel: number;
}

export interface ChannelResult {
  readonly tensor: string;
  readonly channel: number;
  readonly rows: number;
  readonly columns: number;
  /** [rows, columns], exactly what the run gave. */
  readonly values: Float32Array;
}

/** Receptive field of one position on the input, in fed pixels; it may reach beyond the picture. Null where it is unknown or everything. */
export interface ReceptiveField {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export interface ProbeParams extends FeatureMapsParams {
  readonly row: number;
  readonly column: number;
  readonly channels: readonly number[];
}

export interface ProbeResult {
  readonly row: number;
  readonly column: number;
  /** One value for each channel asked for. */
  readonly values: Float32Array;
  readonly receptiveField: ReceptiveField | null;
}

/** "Recompute this position": the window that a convolution saw, its kernel, and their sum beside the value of the run. */
export interface RecomputeParams extends FeatureMapsParams {
  readonly channel: number;
  readonly row: number;
  readonly column: number;
}

export interface RecomputeResult {
  /** [channels, kernel rows, kernel columns] of the input that this output position sees; padding is 0. */
  readonly window: Float32Array;
  readonly kernel: Float32Array;
  readonly shape: readonly number[];
  readonly bias: number;
  readonly sum: number;
  readonly value: number;
  readonly difference: number;
  readonly inputTensor: string;
  /** What the numbers leave out: quantisation, a fused activation. */
  readonly notes: readonly string[];
}

// ---------------------------------------------------------------- side panel

export type ActivationHeatmapParams = FeatureMapsParams;

/** Mean magnitude over the channels at each position, and how strongly the layer answers. */
export interface ActivationHeatmapResult extends RunRecord {
  readonly layer: string;
  readonly tensor: string;
  readonly rows: number;
  readonly columns: number;
  readonly values: Float32Array;
  readonly minimum: number;
  readonly maximum: number;
  readonly geometry: PictureGeometry | null;
  readonly notes: readonly string[];
}

export type LayerStrengthsParams = RunParams;

/** For each layer with an output that could be read: its mean magnitude relative to the strongest layer of its kind, 0…1. */
export interface LayerStrengthsResult {
  readonly layers: readonly string[];
  readonly strengths: Float32Array;
}

// ---------------------------------------------------------------- inputs and outputs

export interface PictureParams extends ModelParams {
  readonly path: string;
  readonly preprocessing: PreprocessingSpec | null;
  /** The picture is made at most this wide and high. */
  readonly pixels: number;
}

/** The upright part of the picture that the network sees (all of it when there is no preprocessing), as a PNG. */
export interface PictureResult {
  readonly png: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly geometry: PictureGeometry | null;
  readonly notes: readonly string[];
}

export interface PreprocessParams extends ModelParams {
  readonly path: string;
  readonly preprocessing: PreprocessingSpec;
}
export interface TensorResult {
  readonly name: string;
  readonly dtype: DataType;
  readonly shape: readonly number[];
  /** Little-endian, C order, in the tensor's own type; bool as one byte; float16 as its bits. */
  readonly bytes: Uint8Array;
}
export interface PreprocessResult {
  readonly tensor: TensorResult;
  readonly notes: readonly string[];
}

export interface TensorsParams extends RunParams {
  readonly tensors: readonly string[];
}
export interface TensorsResult extends RunRecord {
  readonly tensors: readonly TensorResult[];
}

export interface PredictParams extends RunParams {
  readonly top: number;
}
export interface PredictResult extends RunRecord {
  readonly output: string;
  /** Null where no output looks like class scores. `probability` is after a softmax where the output is none yet. */
  readonly classes:
    | readonly { readonly index: number; readonly score: number; readonly probability: number }[]
    | null;
}

/** Weights of a layer as they are, for `filters --out` and export. */
export type WeightsParams = LayerParams;
export interface WeightsResult {
  readonly tensor: TensorResult;
  readonly notes: readonly string[];
}

// ---------------------------------------------------------------- hover pictures

/** Pictures for a hover, rendered in the engine: PNG bytes of at most `maximumBytes`. */
export interface HoverPicturesParams extends LayerParams {
  /** Null: filters only (no input chosen, or nothing may run). */
  readonly feeds: ModelFeeds | null;
  readonly maximumBytes: number;
}
export interface HoverPicturesResult {
  readonly filters: {
    readonly png: Uint8Array;
    readonly width: number;
    readonly height: number;
    readonly shown: number;
  } | null;
  readonly maps: {
    readonly png: Uint8Array;
    readonly width: number;
    readonly height: number;
    readonly channels: readonly number[];
  } | null;
  /** Grad-CAM of the layer over the picture, of the highest class or of what `words` say. */
  readonly heatmap: {
    readonly png: Uint8Array;
    readonly width: number;
    readonly height: number;
    readonly classIndex: number | null;
    readonly words: string;
  } | null;
}

/** A grid of channels as one PNG with its value bar, for export. */
export interface RenderGridParams extends LayerParams {
  readonly what: 'filters' | 'maps';
  readonly feeds: ModelFeeds | null;
  readonly tensor?: string;
  readonly view?: FilterView;
  readonly slice?: number;
  readonly colorMap: string;
  readonly scale: 'own' | 'shared';
  /** All channels where left out. */
  readonly channels?: readonly number[];
}
export interface RenderGridResult {
  readonly png: Uint8Array;
  readonly width: number;
  readonly height: number;
}

/** A heatmap over the fed picture (grey where none is fed) as one PNG with its value bar, for export. */
export interface RenderHeatmapParams extends RunParams {
  /** [rows, columns] */
  readonly values: Float32Array;
  readonly rows: number;
  readonly columns: number;
  /** The values at the ends of the colour map. */
  readonly low: number;
  readonly high: number;
  readonly colorMap: string;
  /** Share of the map's colour, 0…1. */
  readonly opacity: number;
  readonly interpolation: 'bilinear' | 'nearest';
  /** Longer side of the picture without the value bar. */
  readonly pixels: number;
  /** What the PNG's text chunks say. */
  readonly texts: Readonly<Record<string, string>>;
}

/** Every method of the engine. A new method is one entry here and one file in server/src/methods. */
export interface MethodApi {
  filters: { params: FiltersParams; result: FiltersResult };
  weights: { params: WeightsParams; result: WeightsResult };
  featureMaps: { params: FeatureMapsParams; result: FeatureMapsResult };
  featureMapTiles: { params: FeatureMapTilesParams; result: FeatureMapTilesResult };
  channel: { params: ChannelParams; result: ChannelResult };
  probe: { params: ProbeParams; result: ProbeResult };
  recompute: { params: RecomputeParams; result: RecomputeResult };
  activationHeatmap: { params: ActivationHeatmapParams; result: ActivationHeatmapResult };
  layerStrengths: { params: LayerStrengthsParams; result: LayerStrengthsResult };
  picture: { params: PictureParams; result: PictureResult };
  preprocess: { params: PreprocessParams; result: PreprocessResult };
  tensors: { params: TensorsParams; result: TensorsResult };
  predict: { params: PredictParams; result: PredictResult };
  hoverPictures: { params: HoverPicturesParams; result: HoverPicturesResult };
  renderGrid: { params: RenderGridParams; result: RenderGridResult };
  renderHeatmap: { params: RenderHeatmapParams; result: RenderGridResult };
  explain: { params: ExplainParams; result: ExplainResult };
  layerHeatmaps: { params: LayerHeatmapsParams; result: LayerHeatmapsResult };
  attributionTargets: { params: AttributionTargetsParams; result: AttributionTargetsResult };
  attention: { params: AttentionParams; result: AttentionResult };
  attentionMatrices: { params: AttentionMatricesParams; result: AttentionMatricesResult };
  attentionToken: { params: AttentionTokenParams; result: AttentionTokenResult };
  attentionValues: { params: AttentionValuesParams; result: AttentionValuesResult };
  attentionMap: { params: AttentionMapParams; result: AttentionMapResult };
  headAblation: { params: HeadAblationParams; result: HeadAblationResult };
}

/** Methods that make no ONNX Runtime session, at least while they are given no feeds: they answer in an untrusted workspace too. */
export const RUNS_WITHOUT_SESSION: ReadonlySet<keyof MethodApi> = new Set([
  'filters',
  'weights',
  'picture',
  'preprocess',
  'hoverPictures',
  'renderGrid',
  'renderHeatmap',
]);
