import { UserError } from '../../../protocol/errors';
import type { ViewerState } from '../../../protocol/views';
import type { Host } from '../lib/host';
import { encodeNpy, hasNpyType } from '../lib/npy';
import { isView } from './filters';
import { fileStem, shownLabel } from './model';
import type { ChannelSource, Shown } from './types';

/** Largest array that is put together in the page. */
const MOST_BYTES = 256 << 20;
/** Channels that are asked for at a time. */
const TOGETHER = 32;

/** Saves the grid as a picture; false where the person changed their mind. */
export async function savePicture(
  host: Host<ViewerState>,
  { situation, state }: Shown,
  colorMap: string,
  signal: AbortSignal,
): Promise<boolean> {
  const maps = state.tab === 'maps';
  const { png } = await host.api.call(
    'renderGrid',
    {
      model: state.model,
      layer: state.layer,
      input: maps ? state.input : null,
      what: maps ? 'maps' : 'filters',
      colorMap,
      scale: state.scale,
      ...(isView(state.filterView) ? { view: state.filterView } : {}),
      slice: state.slice,
    },
    { signal },
  );
  return host.api.call('saveFile', {
    suggestedName: `${fileStem(shownLabel(situation))}.${maps ? 'maps' : 'filters'}.png`,
    kind: 'png',
    bytes: png,
  });
}

/**
 * Saves the numbers: the weight as it is stored (or, in a type that NumPy does not know, not at all), or all maps of the layer as
 * float32 [channels, rows, columns].
 * @throws UserError `unsupported` for weight types without a NumPy name, `tooLarge` for maps over 256 MB
 */
export async function saveNumbers(
  host: Host<ViewerState>,
  { situation, state }: Shown,
  source: ChannelSource,
  signal: AbortSignal,
): Promise<boolean> {
  const stem = fileStem(shownLabel(situation));
  const save = (name: string, bytes: Uint8Array): Promise<boolean> =>
    host.api.call('saveFile', { suggestedName: `${stem}.${name}.npy`, kind: 'npy', bytes });
  if (state.tab === 'filters') {
    const { tensor } = await host.api.call(
      'weights',
      { model: state.model, layer: state.layer, input: null },
      { signal },
    );
    if (!hasNpyType(tensor.dtype))
      throw new UserError('unsupported', `A .npy file cannot hold ${tensor.dtype} numbers.`);
    return save('weight', encodeNpy(tensor.dtype, tensor.shape, tensor.bytes));
  }
  const { shape, values } = await allMaps(source, signal);
  return save('maps', encodeNpy('float32', shape, new Uint8Array(values.buffer)));
}

async function allMaps(
  source: ChannelSource,
  signal: AbortSignal,
): Promise<{ readonly shape: readonly number[]; readonly values: Float32Array<ArrayBuffer> }> {
  const first = await source.exact(0, signal);
  const size = first.rows * first.columns;
  const channels = source.isVector ? 1 : source.count;
  if (channels * size * 4 > MOST_BYTES)
    throw new UserError(
      'tooLarge',
      `The maps are ${Math.round((channels * size * 4) / 1e6)} MB; export them with the command line: layer-lens tensors.`,
    );
  const values = new Float32Array(channels * size);
  for (let start = 0; start < channels; start += TOGETHER) {
    signal.throwIfAborted();
    const part = Array.from({ length: Math.min(TOGETHER, channels - start) }, (_, i) => start + i);
    const maps = await Promise.all(part.map(channel => source.exact(channel, signal)));
    maps.forEach((map, i) => values.set(map.values, (start + i) * size));
  }
  return {
    shape: source.isVector ? [size] : [channels, first.rows, first.columns],
    values,
  };
}
