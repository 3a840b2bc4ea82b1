import type { AttributionOptions } from '../../../../protocol/attribution';
import type { LayerGrid } from './layerGrid';
import { wholeOption } from './optionValues';

const CHANNELS_USED = 64;
const MOST_CHANNELS = 1_000_000;

/** How many channels a method goes through. @throws UserError `outOfRange`. */
export const channelsUsed = ({ channelsUsed: given }: AttributionOptions): number | 'all' =>
  given === 'all' ? given : wholeOption('channels-used', given, CHANNELS_USED, 1, MOST_CHANNELS);

/** The channels of each image, [images][rank], from the largest mean square of the activation; `planes` is [images, channels, positions]. */
export function strongestChannels(
  { images, channels, positions }: LayerGrid,
  planes: Float32Array,
  used: number | 'all',
): readonly (readonly number[])[] {
  return Array.from({ length: images }, (_, image) => {
    const energy = Array.from({ length: channels }, (_, channel) => {
      const start = (image * channels + channel) * positions;
      let sum = 0;
      for (let i = start; i < start + positions; i++) sum += (planes[i] ?? 0) ** 2;
      return sum;
    });
    const ranked = energy
      .map((_, channel) => channel)
      .sort((a, b) => (energy[b] ?? 0) - (energy[a] ?? 0) || a - b);
    return used === 'all' ? ranked : ranked.slice(0, used);
  });
}

/** Σ w_c A_c for each image, [images, positions]; `weights` is [images][rank], beside `chosen`. */
export function channelMaps(
  { images, channels, positions }: LayerGrid,
  planes: Float32Array,
  chosen: readonly (readonly number[])[],
  weights: readonly ArrayLike<number>[],
): Float32Array {
  const maps = new Float32Array(images * positions);
  for (let image = 0; image < images; image++) {
    const map = new Float64Array(positions);
    for (const [rank, channel] of (chosen[image] ?? []).entries()) {
      const weight = weights[image]?.[rank] ?? 0;
      const start = (image * channels + channel) * positions;
      for (let i = 0; i < positions; i++)
        map[i] = (map[i] ?? 0) + weight * (planes[start + i] ?? 0);
    }
    maps.set(map, image * positions);
  }
  return maps;
}
