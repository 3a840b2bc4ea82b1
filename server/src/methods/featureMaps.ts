import { channelStatistics } from './mapValues';
import { layerMaps } from './layerMaps';
import type { Method } from './method';
import { leftOutNotes } from './statistics';

/** What a layer's maps are: their layout, their sizes and the statistics of every channel. The values themselves come as tiles. */
export const featureMaps: Method<'featureMaps'> = {
  name: 'featureMaps',
  runs: true,
  async compute(params, context) {
    const started = performance.now();
    const maps = await layerMaps(params, context);
    const { view, tensor } = maps;
    const { statistics, leftOut } = channelStatistics(view, maps.read, context.signal);
    const positioned = view.layout !== 'vector' && view.layout !== 'sequence';
    return {
      layer: maps.layer.id,
      tensor: maps.name,
      dtype: tensor.dtype,
      shape: tensor.shape,
      layout: view.layout,
      channels: view.channels,
      rows: view.rows,
      columns: view.columns,
      prefixTokens: view.prefixTokens,
      statistics,
      geometry: positioned ? await context.geometry(params.feeds) : null,
      notes: [...view.notes, ...leftOutNotes(leftOut, view.channels * view.rows * view.columns)],
      times: { ...maps.times, totalMs: performance.now() - started },
      warnings: maps.warnings,
    };
  },
};
