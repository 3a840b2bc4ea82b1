import { UserError } from '../../../protocol/errors';
import type {
  ChannelOrder,
  Interpolation,
  PictureGeometry,
  PreprocessingSpec,
} from '../../../protocol/preprocessing';
import type { Raster } from './raster';
import { resizePixels, type Pixels, type Size } from './resample';
import { roundHalfEven } from './rounding';

/** The pixels that are fed before scaling, and which part of the picture they show. */
export interface FedPixels {
  readonly pixels: Pixels;
  readonly geometry: PictureGeometry;
  readonly notes: readonly string[];
}

/** Fed elements above this are refused: four float32 bytes each make 1 GB. */
export const MAXIMUM_ELEMENTS = 1 << 28;

/** A resized picture (of which only the crop is made) may be this long. */
const LONGEST_SIDE = 1 << 24;

/** Position of the fed channels in RGBA. `null` is the grey value. */
const CHANNELS: Readonly<Record<ChannelOrder, readonly number[] | null>> = {
  RGB: [0, 1, 2],
  BGR: [2, 1, 0],
  RGBA: [0, 1, 2, 3],
  GRAY: null,
};

/** Number of channels that are fed for an order. */
export const channelCount = (order: ChannelOrder): number => CHANNELS[order]?.length ?? 1;

/**
 * The channels of a picture in the order that is fed. Alpha is dropped, not composited, as Pillow's `convert('RGB')` does; grey is
 * Pillow's `L` (ITU-R 601-2 luma in 16-bit fixed point).
 */
export function selectChannels(raster: Raster, order: ChannelOrder): Pixels {
  const channels = CHANNELS[order];
  const { width, height, rgba } = raster;
  const planes = channelCount(order);
  const data = new Uint8Array(width * height * planes);
  for (let from = 0, at = 0; from < rgba.length; from += 4) {
    if (channels) for (const channel of channels) data[at++] = rgba[from + channel] ?? 0;
    else {
      const [r = 0, g = 0, b = 0] = [rgba[from], rgba[from + 1], rgba[from + 2]];
      data[at++] = (r * 19595 + g * 38470 + b * 7471 + 0x8000) >> 16;
    }
  }
  return { width, height, planes, data };
}

/** Where the resized picture lies in what is fed: `size` is the whole resized picture, its corner at (left, top), which may be negative. */
export interface Placement {
  readonly size: Size;
  readonly left: number;
  readonly top: number;
}

/** torchvision's CenterCrop: where the picture is smaller it is padded, the smaller half first; else halves round to even. */
const cropOffset = (picture: number, fed: number): number =>
  picture < fed ? Math.floor((fed - picture) / 2) : -roundHalfEven((picture - fed) / 2);

function place(picture: Size, spec: PreprocessingSpec): Placement {
  const fed = spec.size.value;
  switch (spec.resize.value) {
    case 'stretch':
      return { size: fed, left: 0, top: 0 };
    case 'crop': {
      const side = spec.shortestSide.value;
      const { width: w, height: h } = picture;
      const long = Math.trunc((side * Math.max(w, h)) / Math.min(w, h));
      const size = w <= h ? { width: side, height: long } : { width: long, height: side };
      return {
        size,
        left: cropOffset(size.width, fed.width),
        top: cropOffset(size.height, fed.height),
      };
    }
    case 'letterbox': {
      const ratio = Math.min(fed.width / picture.width, fed.height / picture.height);
      const size = {
        width: Math.max(1, roundHalfEven(picture.width * ratio)),
        height: Math.max(1, roundHalfEven(picture.height * ratio)),
      };
      return {
        size,
        left: roundHalfEven((fed.width - size.width) / 2 - 0.1),
        top: roundHalfEven((fed.height - size.height) / 2 - 0.1),
      };
    }
  }
}

/**
 * Resizes pixels to `size` and lays them with their corner at (left, top) on an area of `fed`; what lies outside is cut off, what is left open
 * is filled with `border`.
 */
export function placePixels(
  source: Pixels,
  { size, left, top }: Placement,
  fed: Size,
  filter: Interpolation,
  border: number,
): Pixels {
  const [right, bottom] = [left + size.width, top + size.height];
  const [x, y] = [Math.max(0, left), Math.max(0, top)];
  const window = {
    left: Math.max(0, -left),
    top: Math.max(0, -top),
    width: Math.min(fed.width, right) - x,
    height: Math.min(fed.height, bottom) - y,
  };
  const part = resizePixels(source, size, filter, window);
  if (part.width === fed.width && part.height === fed.height) return part;
  const { planes } = part;
  const data = new Uint8Array(fed.width * fed.height * planes).fill(border);
  for (let row = 0; row < part.height; row++)
    data.set(
      part.data.subarray(row * part.width * planes, (row + 1) * part.width * planes),
      ((y + row) * fed.width + x) * planes,
    );
  return { ...fed, planes, data };
}

/**
 * Resizes a picture to what is fed, channels selected, still 8 bits. `stretch`: both sides to `size`. `crop`: torchvision's
 * Resize(shortestSide) and CenterCrop(size), with its rounding, padded with 0 where the picture is smaller. `letterbox`: Ultralytics'
 * LetterBox with its rounding, border of the given grey level; the resize itself is antialiased, which OpenCV's is not.
 * Resizing equals Pillow's in every bit.
 */
export function fitPixels(raster: Raster, spec: PreprocessingSpec): FedPixels {
  const fed = spec.size.value;
  checkSize(spec, fed);
  const placement = place(raster, spec);
  const { size, left, top } = placement;
  if (Math.max(size.width, size.height) > LONGEST_SIDE)
    throw new UserError(
      'tooLarge',
      `A picture of ${raster.width}×${raster.height} is too long and thin for resize “${spec.resize.value}” of input ${spec.input}: choose “stretch”.`,
    );
  const border = spec.resize.value === 'letterbox' ? spec.border.value : 0;
  const source = selectChannels(raster, spec.channels.value);
  const pixels = placePixels(source, placement, fed, spec.interpolation.value, border);
  const scaleX = raster.width / size.width;
  const scaleY = raster.height / size.height;
  const geometry: PictureGeometry = {
    picture: { width: raster.width, height: raster.height },
    fed,
    scaleX,
    scaleY,
    offsetX: left === 0 ? 0 : -left * scaleX,
    offsetY: top === 0 ? 0 : -top * scaleY,
  };
  const padded =
    left > 0 || top > 0 || left + size.width < fed.width || top + size.height < fed.height;
  return { pixels, geometry, notes: [fitNote(raster, size, spec, padded)] };
}

function checkSize(spec: PreprocessingSpec, fed: Size): void {
  const whole = (value: number): boolean => Number.isInteger(value) && value > 0;
  if (!whole(fed.width) || !whole(fed.height) || !whole(spec.shortestSide.value))
    throw new UserError(
      'outOfRange',
      `The size for input ${spec.input} is ${fed.width}×${fed.height} with shortest side ${spec.shortestSide.value}: give whole numbers above 0.`,
    );
  if (fed.width * fed.height * channelCount(spec.channels.value) > MAXIMUM_ELEMENTS)
    throw new UserError(
      'tooLarge',
      `A size of ${fed.width}×${fed.height} for input ${spec.input} is more than this can hold: give a smaller size.`,
    );
}

function fitNote(picture: Size, resized: Size, spec: PreprocessingSpec, padded: boolean): string {
  const say = (size: Size): string => `${size.width}×${size.height}`;
  const fed = spec.size.value;
  const how = `${say(picture)} resized to ${say(resized)} (${spec.interpolation.value})`;
  if (spec.resize.value === 'letterbox')
    return padded ? `${how}, bordered to ${say(fed)}.` : `${how}.`;
  if (spec.resize.value === 'stretch') return `${how}.`;
  if (padded) return `${how}; smaller than ${say(fed)}, so black was added around it.`;
  return resized.width === fed.width && resized.height === fed.height
    ? `${how}.`
    : `${how}, centre cropped to ${say(fed)}.`;
}
