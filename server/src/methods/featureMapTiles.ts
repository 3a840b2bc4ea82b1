import { averageMap } from '../image/resizeMap';
import { checkChannel, layerMaps } from './layerMaps';
import { channelValues, quantize, tileSize } from './mapValues';
import type { Method } from './method';

/** Some channels of a layer as small maps, for a grid. */
export const featureMapTiles: Method<'featureMapTiles'> = {
  name: 'featureMapTiles',
  runs: true,
  async compute(params, context) {
    const maps = await layerMaps(params, context);
    const { view } = maps;
    const size = tileSize(view, params.pixels);
    const area = size.rows * size.columns;
    const values = new Uint8Array(params.channels.length * area);
    const ranges = new Float32Array(params.channels.length * 2);
    params.channels.forEach((channel, index) => {
      context.signal.throwIfAborted();
      checkChannel(maps, channel);
      const full = channelValues(view, maps.read, channel);
      const tile = averageMap(full, view.rows, view.columns, size.rows, size.columns);
      ranges.set(quantize(tile, values.subarray(index * area, (index + 1) * area)), index * 2);
    });
    return { tensor: maps.name, channels: params.channels, ...size, values, ranges };
  },
};
