import type { Command } from '../command';
import { arrayFile } from '../arrayFile';
import { withEngine } from '../engineSession';
import { EXIT } from '../exitStatus';
import { findWeightedLayer } from '../findLayer';
import { openModel } from '../modelAndFeeds';
import { OutputFolder } from '../outputFolder';
import { jsonText, provenance } from '../resultRecord';

/** `filters`: the weights of a layer as they are, and a picture of them. */
export const filters: Command = {
  name: 'filters',
  summary: 'Write the weights of a layer as they are (weights.npy, filters.png, result.json).',
  positionals: ['MODEL'],
  options: [
    { name: 'layer', value: 'L', help: 'Node name, module path, initializer or tensor name.' },
    { name: 'out', value: 'DIR', help: 'Folder to write to.' },
  ],
  example: 'layer-lens filters resnet18.onnx --layer conv1 --out conv1-filters',
  async run(given, context) {
    const [name, folder] = [given.required('layer'), given.required('out')];
    const started = performance.now();
    const described = await openModel(given.word(0));
    const { description } = described;
    const layer = findWeightedLayer(description, name);
    const output = new OutputFolder(folder);
    try {
      const params = { model: description.path, layer: layer.id };
      const { weights, tiles, picture } = await withEngine(context, async engine => {
        const weights = await engine.call('weights', params);
        const tiles = await engine.call('filters', { ...params, first: 0, count: 0 });
        const colorMap = tiles.view === 'norm' ? 'viridis' : 'diverging';
        const request = {
          ...params,
          what: 'filters',
          feeds: null,
          colorMap,
          scale: 'shared',
        } as const;
        return { weights, tiles, picture: await engine.call('renderGrid', request) };
      });
      const array = arrayFile(weights.tensor);
      const record = {
        method: 'filters',
        layer: layer.id,
        modulePath: layer.modulePath,
        tensors: [tiles.tensor],
        shape: tiles.shape,
        dtype: tiles.dtype,
        geometry: tiles.geometry,
        filters: tiles.filters,
        slices: tiles.slices,
        options: { view: tiles.view, scale: 'shared' },
        valueRange: array.range,
        sharedMaximum: tiles.sharedMaximum,
        files: ['weights.npy', 'filters.png'],
        times: { totalMs: performance.now() - started },
        ...(await provenance(described, {}, context.signal)),
        warnings: [...tiles.notes, ...(array.note === '' ? [] : [array.note])],
      };
      output.write('weights.npy', array.bytes);
      output.write('filters.png', picture.png);
      output.write('result.json', jsonText(record));
      context.signal.throwIfAborted();
      output.commit();
      for (const warning of record.warnings) context.terminal.err(`layer-lens: ${warning}\n`);
      if (given.has('json')) context.terminal.out(jsonText(record));
      return EXIT.done;
    } finally {
      output.dispose();
    }
  },
};
