import type { Interpolation, Traced } from '../../../../protocol/preprocessing';
import { found, guessed, type Findings, type PictureSize } from './facts';
import {
  isObject,
  numbersOf,
  parseJson,
  sidecarNamed,
  sideOf,
  type JsonObject,
  type Sidecars,
} from './sidecars';

const FILE = 'preprocessor_config.json';

/** PIL's numbers. */
const RESAMPLE: Readonly<Record<number, Interpolation>> = {
  0: 'nearest',
  2: 'bilinear',
  3: 'bicubic',
};

/** What a processor normalises with when its file does not say, by class name. */
const TYPE_DEFAULTS: readonly (readonly [RegExp, readonly number[], readonly number[]])[] = [
  [/CLIP/i, [0.48145466, 0.4578275, 0.40821073], [0.26862954, 0.26130258, 0.27577711]],
  [
    /^(ViT|Siglip|DeiT|Beit|MobileNet|Vilt|ConvNext|EfficientNet|Perceiver)/i,
    [0.5, 0.5, 0.5],
    [0.5, 0.5, 0.5],
  ],
];
const IMAGENET_MEAN = [0.485, 0.456, 0.406];
const IMAGENET_STD = [0.229, 0.224, 0.225];

/**
 * Reads `preprocessor_config.json` of Hugging Face transformers: x = (pixel · rescale_factor − offset − image_mean) / image_std. A crop
 * size counts only when `do_center_crop` is on. EfficientNet's second normalisation and ConvNeXt's crop_pct are folded in.
 */
export function huggingFace(sidecars: Sidecars): Findings | null {
  const file = sidecarNamed(sidecars, FILE);
  const config = file && parseJson(file.text);
  if (!file || !isObject(config)) return null;
  const from = (key: string): string => `${file.name}: ${key}`;
  const flip = config['do_flip_channel_order'] === true;
  const resample =
    typeof config['resample'] === 'number' ? RESAMPLE[config['resample']] : undefined;
  const grey = config['do_grayscale'] === true || config['do_convert_grayscale'] === true;
  const notes =
    resample === undefined && config['resample'] !== undefined
      ? [
          `${from('resample')} ${String(config['resample']).slice(0, 20)} is not available; bilinear is used.`,
        ]
      : [];
  const size = sizes(config, from);
  return {
    ...size,
    ...values(config, from, flip),
    channels: found(
      grey ? 'GRAY' : flip ? 'BGR' : 'RGB',
      grey
        ? from('do_grayscale')
        : flip
          ? from('do_flip_channel_order')
          : from('image processors give RGB'),
    ),
    ...(resample ? { interpolation: found(resample, from('resample')) } : {}),
    notes: [...notes, ...size.notes],
  };
}

/** Width and height of `224`, `{height, width}` or `{shortest_edge}` (square). */
function sizeOf(value: unknown): (PictureSize & { readonly shortest: boolean }) | undefined {
  const side = sideOf(value) ?? (isObject(value) ? sideOf(value['shortest_edge']) : undefined);
  if (side !== undefined) return { width: side, height: side, shortest: isObject(value) };
  const width = isObject(value) ? sideOf(value['width']) : undefined;
  const height = isObject(value) ? sideOf(value['height']) : undefined;
  return width !== undefined && height !== undefined
    ? { width, height, shortest: false }
    : undefined;
}

function sizes(
  config: JsonObject,
  from: (key: string) => string,
): Findings & { readonly notes: readonly string[] } {
  const size = config['do_resize'] === false ? undefined : sizeOf(config['size']);
  const crop =
    config['do_center_crop'] === true ? (sizeOf(config['crop_size']) ?? size) : undefined;
  const ignored = config['do_center_crop'] === false && config['crop_size'] !== undefined;
  const notes = ignored ? [`${from('crop_size')} is not used: do_center_crop is off.`] : [];
  const plain = ({ width, height }: PictureSize): PictureSize => ({ width, height });
  // Stretched to a size of height and width: a crop of that size takes nothing away.
  const whole =
    size && !size.shortest && isObject(config['size']) && crop?.width === size.width
      ? crop.height === size.height
      : false;
  if (crop && !whole) {
    const side = size ? Math.min(size.width, size.height) : Math.min(crop.width, crop.height);
    return {
      size: found(plain(crop), from('crop_size')),
      // A size of height and width is stretched to before the crop; only square ones can be told here.
      resize: found('crop', from('do_center_crop')),
      shortestSide: found(side, from(size ? 'size' : 'crop_size')),
      notes:
        size && !size.shortest && isObject(config['size'])
          ? [...notes, `${from('size')} stretches before the crop; the aspect ratio is kept here.`]
          : notes,
    };
  }
  const ratio = config['crop_pct'];
  if (size?.shortest && typeof ratio === 'number' && ratio > 0 && ratio <= 1 && size.width < 384)
    return {
      size: found(plain(size), from('size')),
      resize: found('crop', from('crop_pct')),
      shortestSide: found(Math.trunc(size.width / ratio), from('size / crop_pct')),
      notes,
    };
  if (!size) return { notes };
  const open = size.shortest && isObject(config['size']) && typeof ratio !== 'number';
  return {
    size: found(plain(size), from('size')),
    resize: open
      ? guessed('crop', `${from('size')} gives the shortest edge only`)
      : found('stretch', from('size')),
    ...(open ? { shortestSide: found(size.width, from('size')) } : {}),
    notes,
  };
}

function values(config: JsonObject, from: (key: string) => string, flip: boolean): Findings {
  const ordered = (list: readonly number[]): readonly number[] =>
    flip ? [...list].reverse() : list;
  const rescales = config['do_rescale'] !== false;
  const factor = config['rescale_factor'];
  const scale = !rescales
    ? found(1, from('do_rescale'))
    : typeof factor === 'number' && Number.isFinite(factor)
      ? found(factor, from('rescale_factor'))
      : found(1 / 255, from('rescale_factor is 1/255 by default'));
  const offset = config['rescale_offset'] === true ? 1 : 0;
  const normalises =
    config['do_normalize'] !== false &&
    (config['do_normalize'] === true || config['image_mean'] !== undefined);
  const mean = normalises
    ? meanOrStd(config, 'image_mean', from)
    : found([0], from('do_normalize'));
  const std = normalises ? meanOrStd(config, 'image_std', from) : found([1], from('do_normalize'));
  // EfficientNet divides by image_std once more for its classifier.
  const twice = config['include_top'] === true && /EfficientNet/i.test(processorType(config));
  const deviation = meanOrStd(config, 'image_std', from).value;
  return {
    scale,
    mean: {
      ...mean,
      value: ordered(mean.value.map(value => value + offset)),
      from: offset ? `${mean.from} and rescale_offset` : mean.from,
    },
    std: {
      ...std,
      value: ordered(
        twice
          ? std.value.length === deviation.length
            ? std.value.map((value, i) => value * (deviation[i] ?? 1))
            : deviation
          : std.value,
      ),
      from: twice ? `${std.from}, twice (include_top)` : std.from,
    },
  };
}

const processorType = (config: JsonObject): string => {
  const type = config['image_processor_type'] ?? config['feature_extractor_type'];
  return typeof type === 'string' ? type : '';
};

function meanOrStd(
  config: JsonObject,
  key: 'image_mean' | 'image_std',
  from: (key: string) => string,
): Traced<readonly number[]> {
  const given = numbersOf(config[key]);
  if (given) return found(given, from(key));
  const type = processorType(config);
  const known = TYPE_DEFAULTS.find(([pattern]) => pattern.test(type));
  const why = known ? `default of ${type.slice(0, 60)}` : `${from(key)} is missing`;
  if (key === 'image_mean') return guessed(known?.[1] ?? IMAGENET_MEAN, why);
  return guessed(known?.[2] ?? IMAGENET_STD, why);
}
