/** A setting with where it comes from: a file and key, the graph, a person, or a stated guess. */
export interface Traced<T> {
  readonly value: T;
  /** For people: `preprocessor_config.json: image_mean`, `settings`, `input type uint8`, `guessed: 3 channels, 1000 classes`. */
  readonly from: string;
  readonly guessed: boolean;
}

export type Layout = 'NCHW' | 'NHWC' | 'CHW' | 'HWC' | 'NHW' | 'HW';
export type ChannelOrder = 'RGB' | 'BGR' | 'GRAY' | 'RGBA';
export type ResizeMode = 'stretch' | 'crop' | 'letterbox';
export type Interpolation = 'bilinear' | 'bicubic' | 'nearest';

/**
 * How an image becomes the tensor of one graph input: x = (pixel · scale − mean) / std per channel, pixel 0…255,
 * channels in the order that is fed. The same for extension and command line.
 */
export interface PreprocessingSpec {
  /** Name of the graph input. */
  readonly input: string;
  readonly layout: Traced<Layout>;
  /** Pixels that are fed. */
  readonly size: Traced<{ readonly width: number; readonly height: number }>;
  readonly channels: Traced<ChannelOrder>;
  readonly scale: Traced<number>;
  /** One value per channel that is fed. */
  readonly mean: Traced<readonly number[]>;
  readonly std: Traced<readonly number[]>;
  readonly resize: Traced<ResizeMode>;
  /** For `crop`: the length that the image's shortest side is resized to before the centre crop of `size`. */
  readonly shortestSide: Traced<number>;
  /** For `letterbox`: the grey level of the border, 0…255. */
  readonly border: Traced<number>;
  readonly interpolation: Traced<Interpolation>;
  /** Sentences for a person: what was found in the graph, what was left out and why. */
  readonly notes: readonly string[];
}

/** What a person chose; anything left out is detected. */
export interface PreprocessingOverrides {
  readonly layout?: Layout;
  readonly width?: number;
  readonly height?: number;
  readonly channels?: ChannelOrder;
  readonly scale?: number;
  readonly mean?: readonly number[];
  readonly std?: readonly number[];
  readonly resize?: ResizeMode;
  readonly shortestSide?: number;
  readonly border?: number;
  readonly interpolation?: Interpolation;
}

/** Which part of the picture the network sees: picture pixels = network pixels · scale + offset, per axis. */
export interface PictureGeometry {
  /** The upright picture, after EXIF rotation. */
  readonly picture: { readonly width: number; readonly height: number };
  readonly fed: { readonly width: number; readonly height: number };
  readonly scaleX: number;
  readonly scaleY: number;
  readonly offsetX: number;
  readonly offsetY: number;
}
