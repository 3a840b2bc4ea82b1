import { checkChannel, checkPosition, layerMaps } from './layerMaps';
import { elementIndex } from './mapView';
import type { Method } from './method';
import { fieldOfTensor } from './receptiveFields';

/** Values of some channels at one position, and which part of the input that position sees. */
export const probe: Method<'probe'> = {
  name: 'probe',
  runs: true,
  async compute(params, context) {
    const maps = await layerMaps(params, context);
    const { row, column, channels } = params;
    checkPosition(maps, row, column);
    for (const channel of channels) checkChannel(maps, channel);
    const isMap = maps.tensor.shape.length === 4 && maps.view.layout.startsWith('N');
    const field = isMap ? await fieldOfTensor(context, params.feeds, maps.name) : null;
    return {
      row,
      column,
      values: Float32Array.from(channels, channel =>
        maps.read(elementIndex(maps.view, channel, row, column)),
      ),
      receptiveField: field?.fieldOf(row, column) ?? null,
    };
  },
};
