import type { ChannelOrder } from '../../../../protocol/preprocessing';
import { found, type Findings } from './facts';

const FORMATS: Readonly<Record<string, ChannelOrder>> = {
  gray8: 'GRAY',
  rgb8: 'RGB',
  bgr8: 'BGR',
  rgba8: 'RGBA',
};

/** Pixel range → x = pixel · scale − mean. */
const RANGES: Readonly<Record<string, { readonly scale: number; readonly mean: number }>> = {
  nominalrange_0_255: { scale: 1, mean: 0 },
  normalized_0_1: { scale: 1 / 255, mean: 0 },
  normalized_1_1: { scale: 2 / 255, mean: 1 },
  nominalrange_16_235: { scale: 219 / 255, mean: -16 },
};

/** Reads the `Image.…` metadata of the ONNX specification (docs/MetadataProps.md), keys and values in any case. */
export function onnxMetadata(metadata: ReadonlyMap<string, string>): Findings | null {
  const values = new Map([...metadata].map(([key, value]) => [key.toLowerCase(), value.trim()]));
  const format = values.get('image.bitmappixelformat');
  const range = values.get('image.nominalpixelrange');
  const gamma = values.get('image.colorspacegamma');
  if (format === undefined && range === undefined) return null;
  const channels = format === undefined ? undefined : FORMATS[format.toLowerCase()];
  const values01 = range === undefined ? undefined : RANGES[range.toLowerCase()];
  const notes: string[] = [];
  if (format !== undefined && !channels)
    notes.push(
      `Image.BitmapPixelFormat ${format.slice(0, 40)} is not available; choose the channels.`,
    );
  if (range !== undefined && !values01)
    notes.push(`Image.NominalPixelRange ${range.slice(0, 40)} is unknown; choose scale and mean.`);
  if (gamma?.toLowerCase() === 'linear')
    notes.push('Image.ColorSpaceGamma is Linear; pixels are fed as sRGB here.');
  return {
    ...(channels ? { channels: found(channels, 'metadata: Image.BitmapPixelFormat') } : {}),
    ...(values01
      ? {
          scale: found(values01.scale, 'metadata: Image.NominalPixelRange'),
          mean: found([values01.mean], 'metadata: Image.NominalPixelRange'),
          std: found([1], 'metadata: Image.NominalPixelRange'),
        }
      : {}),
    notes,
  };
}
