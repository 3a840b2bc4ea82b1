import { layerMaps } from './layerMaps';
import { meanMagnitudes } from './mapValues';
import type { Method } from './method';
import { summarize } from './statistics';

/**
 * Mean magnitude over a layer's channels at each position, not normalised. A layer without positions (bars) gives one cell: the mean
 * magnitude of all of it.
 */
export const activationHeatmap: Method<'activationHeatmap'> = {
  name: 'activationHeatmap',
  runs: true,
  async compute(params, context) {
    const started = performance.now();
    const maps = await layerMaps(params, context, { ahead: true });
    const { view } = maps;
    const positioned = view.layout !== 'vector';
    const magnitudes = meanMagnitudes(view, maps.read, context.signal);
    const summary = summarize(magnitudes.length, i => magnitudes[i] ?? 0);
    return {
      layer: maps.layer.id,
      tensor: maps.name,
      rows: positioned ? view.rows : 1,
      columns: positioned ? view.columns : 1,
      values: positioned ? magnitudes : Float32Array.of(summary.mean),
      minimum: positioned ? summary.minimum : summary.mean,
      maximum: positioned ? summary.maximum : summary.mean,
      geometry:
        positioned && view.layout !== 'sequence' ? await context.geometry(params.feeds) : null,
      notes: positioned
        ? view.notes
        : [...view.notes, 'This layer has no positions: one mean magnitude stands for all of it.'],
      times: { ...maps.times, totalMs: performance.now() - started },
      warnings: maps.warnings,
    };
  },
};
