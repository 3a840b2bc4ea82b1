import { checkChannel, layerMaps } from './layerMaps';
import { channelValues } from './mapValues';
import type { Method } from './method';

/** One channel in full, exactly what the run gave. */
export const channel: Method<'channel'> = {
  name: 'channel',
  runs: true,
  async compute(params, context) {
    const maps = await layerMaps(params, context);
    checkChannel(maps, params.channel);
    return {
      tensor: maps.name,
      channel: params.channel,
      rows: maps.view.rows,
      columns: maps.view.columns,
      values: channelValues(maps.view, maps.read, params.channel),
    };
  },
};
