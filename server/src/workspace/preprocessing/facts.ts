import type { Dimension, Problem, ValueInfo } from '../../../../protocol/model';
import type {
  ChannelOrder,
  Interpolation,
  Layout,
  PreprocessingOverrides,
  ResizeMode,
  Traced,
} from '../../../../protocol/preprocessing';
import type { InputStart } from '../../onnx/inputStart';

/** What detection needs to know of a model; no weights. */
export interface ModelFacts {
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
  /** `metadata_props` of the model. */
  readonly metadata: ReadonlyMap<string, string>;
  /** By input name; an input that is missing here starts with nothing special. */
  readonly starts: ReadonlyMap<string, InputStart>;
}

/** Overrides by input name, `*` for all, and what to call their source. */
export interface Choice {
  readonly overrides: Readonly<Record<string, PreprocessingOverrides>>;
  readonly from: string;
}

export interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/** What one source says; anything it is silent about is left out. Mean and std are in the order of `channels`. */
export interface Findings {
  readonly size?: Traced<PictureSize>;
  readonly channels?: Traced<ChannelOrder>;
  readonly scale?: Traced<number>;
  readonly mean?: Traced<readonly number[]>;
  readonly std?: Traced<readonly number[]>;
  readonly resize?: Traced<ResizeMode>;
  readonly shortestSide?: Traced<number>;
  readonly border?: Traced<number>;
  readonly interpolation?: Traced<Interpolation>;
  readonly notes?: readonly string[];
}

/** An input that can take a picture: what its declared shape says. */
export interface PictureInput {
  readonly info: ValueInfo;
  readonly layout: Traced<Layout>;
  /** Null where the graph leaves it open. */
  readonly channels: number | null;
  readonly width: number | null;
  readonly height: number | null;
}

export const found = <T>(value: T, from: string): Traced<T> => ({ value, from, guessed: false });
export const guessed = <T>(value: T, why: string): Traced<T> => ({
  value,
  from: `guessed: ${why}`,
  guessed: true,
});

/** Smaller pictures than this are taken for other data. */
const SMALLEST_SIDE = 8;
/** Grey pictures are at most this many times as tall as wide, and as wide as tall. */
const TALLEST = 1.5;
const WIDEST = 10;
const CHANNEL_COUNTS: readonly Dimension[] = [1, 3, 4];
/** Names of inputs that are no pictures though they have the shape of one. */
const OTHER_INPUT =
  /mask|hidden|state|cache|past|attention|length|position|token|embed|mel|audio|spectro/i;
const PICTURE_TYPES = [
  'float32',
  'float16',
  'float64',
  'bfloat16',
  'uint8',
  'int8',
  'uint16',
  'int16',
  'int32',
  'uint32',
  'int64',
];

const known = (size: Dimension | undefined): number | null =>
  typeof size === 'number' ? size : null;
const isSide = (size: Dimension | undefined): boolean =>
  typeof size !== 'number' || size >= SMALLEST_SIDE || size < 1;

/**
 * How a graph input can take a picture, by its declared shape: rank 4 with 1, 3 or 4 channels on axis 1 (NCHW) or 3 (NHWC); rank 3 with 3 or 4
 * channels, or square with one. Channels that the shape leaves open (`num_channels` of Hugging Face's exports) are those of the first Conv.
 * `layout` is a person's choice and is believed as long as the rank fits. Null where it looks like no picture.
 */
export function asPictureInput(
  info: ValueInfo,
  layout?: Traced<Layout>,
  start?: InputStart,
): PictureInput | null {
  if (info.container || !info.shape || !PICTURE_TYPES.includes(info.dtype)) return null;
  const chosen = layout?.value.length === info.shape.length ? layout : null;
  const traced = chosen ?? layoutOf(info.shape, info.name, start?.channels ?? null);
  if (!traced) return null;
  const at = (axis: string): number | null => {
    const position = traced.value.indexOf(axis);
    const size = position < 0 ? null : known(info.shape?.[position]);
    return size !== null && size > 0 ? size : null;
  };
  const channels = traced.value.includes('C') ? (at('C') ?? openChannels(traced, start)) : 1;
  return { info, layout: traced, channels, width: at('W'), height: at('H') };
}

/** What the first Conv takes, for channels that the shape leaves open. */
const openChannels = (layout: Traced<Layout>, start: InputStart | undefined): number | null =>
  layout.value === 'NCHW' && CHANNEL_COUNTS.includes(start?.channels ?? null)
    ? (start?.channels ?? null)
    : null;

/**
 * Frames of a spectrum ([N, 76, 32, 1]: time by frequency) have the rank and the one channel of a grey picture, but are tall; a name such as
 * `image` overrules this.
 */
function isSpectrum(
  channels: Dimension | undefined,
  height: Dimension | undefined,
  width: Dimension | undefined,
  name: string,
): boolean {
  if (channels !== 1 || typeof height !== 'number' || typeof width !== 'number') return false;
  const isTall = height > TALLEST * width || width > WIDEST * height;
  return isTall && !/image|img|pixel|picture|photo|gr[ae]y/i.test(name);
}

function layoutOf(
  shape: readonly Dimension[],
  name: string,
  convChannels: number | null,
): Traced<Layout> | null {
  if (OTHER_INPUT.test(name)) return null;
  const from = `shape ${shape.map(size => size ?? '?').join('×')}`;
  const [a, b, c, d] = shape;
  const isChannels = (size: Dimension | undefined): boolean =>
    size !== undefined && CHANNEL_COUNTS.includes(size);
  if (shape.length === 4) {
    if (isChannels(b) && isSide(c) && isSide(d))
      return isSpectrum(b, c, d, name) ? null : found('NCHW', from);
    if (isChannels(d) && isSide(b) && isSide(c))
      return isSpectrum(d, b, c, name) ? null : found('NHWC', from);
    const isOpen = typeof b !== 'number' && isSide(c) && isSide(d);
    if (isOpen && CHANNEL_COUNTS.includes(convChannels))
      return found('NCHW', `${from}; the first Conv takes ${convChannels} channels`);
    return isOpen && typeof b === 'string' && /channel/i.test(b) ? found('NCHW', from) : null;
  }
  if (shape.length !== 3) return null;
  // Sequences of three or four values have the same rank: here the sides must be known, or be called height and width.
  const isKnownSide = (size: Dimension | undefined): boolean =>
    typeof size === 'number'
      ? size >= 16
      : typeof size === 'string' && /height|width|^[hw]$/i.test(size);
  if ((a === 3 || a === 4) && isKnownSide(b) && isKnownSide(c)) return guessed('CHW', from);
  if ((c === 3 || c === 4) && isKnownSide(a) && isKnownSide(b)) return guessed('HWC', from);
  const isSquare = typeof b === 'number' && b === c && b >= 16;
  return isSquare && (a === 1 || typeof a !== 'number') ? guessed('NHW', from) : null;
}

/** An output axis that can hold a score for each class. */
export interface ClassAxis {
  readonly output: string;
  readonly classes: number;
  /** `scores`: one score for each class; `map`: one for each class and pixel; `boxes`: detections with box values beside the scores. */
  readonly kind: 'scores' | 'map' | 'boxes';
}

/** The axes of the outputs that can be a class axis, by shape, the likeliest first. */
export function classAxes(outputs: readonly ValueInfo[]): ClassAxis[] {
  const axes: ClassAxis[] = [];
  for (const { name: output, shape } of outputs) {
    const sizes = shape?.map(known) ?? [];
    const add = (classes: number | null | undefined, kind: ClassAxis['kind']): void => {
      if (typeof classes === 'number' && classes > 1) axes.push({ output, classes, kind });
    };
    if (sizes.length === 2) add(sizes[1], 'scores');
    else if (sizes.length === 1) add(sizes[0], 'scores');
    else if (sizes.length === 4 && sizes[2] === 1 && sizes[3] === 1) add(sizes[1], 'scores');
    else if (sizes.length === 4) {
      add(sizes[1], 'map');
      add(sizes[3], 'map');
    } else if (sizes.length === 3)
      // Four box values, or four and an objectness score, on either axis.
      for (const size of [sizes[1], sizes[2]])
        for (const extra of [0, 4, 5]) add(typeof size === 'number' ? size - extra : null, 'boxes');
  }
  return [
    ...axes.filter(axis => axis.kind === 'scores'),
    ...axes.filter(axis => axis.kind !== 'scores'),
  ];
}

/** A problem about one file. */
export const warning = (message: string, subject: string): Problem => ({
  severity: 'warning',
  message,
  subject,
});
