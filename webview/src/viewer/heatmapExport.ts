import { ATTRIBUTION_FACTS } from '../../../protocol/attributionFacts';
import type { ViewerState } from '../../../protocol/views';
import type { Host } from '../lib/host';
import { encodeNpy } from '../lib/npy';
import { drawFigure } from './heatmapFigure';
import { provenance, recordOfAll, type Exported, type ExportRecord } from './heatmapRecord';
import { captionOf } from './heatmapWords';
import { fileStem, shownLabel } from './model';
import type { Shown } from './types';

/** What an export is made from. */
export interface ExportSource extends Omit<ExportRecord, 'state'> {
  readonly host: Host<ViewerState>;
  readonly shown: Shown;
  readonly image: ImageBitmap | null;
  readonly smooth: boolean;
  labelOf(layer: string): string;
}

/** Saves the maps on the picture with all that is to be known of them beside it; false where the person changed their mind. */
export async function saveFigure(source: ExportSource): Promise<boolean> {
  const { shown, maps, image, smooth, labelOf } = source;
  const { labels } = shown.situation;
  const canvas = drawFigure({
    image,
    opacity: shown.state.opacity,
    smooth,
    parts: maps.map(({ result, map, isPartial }) => ({
      map,
      title: ATTRIBUTION_FACTS[result.method].label,
      lines: captionOf(result, map, { smooth, labels, labelOf, isPartial }),
    })),
    notes: provenance({ ...source, state: shown.state }),
  });
  const blob = await new Promise<Blob | null>(resolve => canvas.toBlob(resolve, 'image/png'));
  if (!blob) throw new Error('the picture could not be written');
  const bytes = new Uint8Array(await blob.arrayBuffer());
  return save(source, 'png', bytes);
}

/** Saves everything known of the maps but their numbers. */
export function saveRecord(source: ExportSource): Promise<boolean> {
  const text = JSON.stringify(recordOfAll({ ...source, state: source.shown.state }), null, 2);
  return save(source, 'json', new TextEncoder().encode(`${text}\n`));
}

/**
 * Saves the numbers of one map as float32: a layer's map as it is, [rows, columns]; for methods on the input the attribution of every
 * fed value, in the shape that is fed. An unfinished map is saved as it is shown.
 */
export async function saveMap(
  source: ExportSource,
  exported: Exported,
  signal: AbortSignal,
): Promise<boolean> {
  const { result, params, isPartial } = exported;
  const alone = { ...source, maps: [exported] };
  if (isPartial || ATTRIBUTION_FACTS[result.method].of === 'layer')
    return save(alone, 'npy', npyOf([result.rows, result.columns], result.map));
  const full = await source.host.api.call('explain', { ...params, want: 'full' }, { signal });
  return save(alone, 'npy', npyOf(full.attributionShape, full.attribution));
}

const npyOf = (shape: readonly number[], values: Float32Array): Uint8Array =>
  encodeNpy('float32', shape, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));

function save(
  { host, shown, maps }: ExportSource,
  kind: 'png' | 'npy' | 'json',
  bytes: Uint8Array,
): Promise<boolean> {
  const methods = maps.length === 1 ? (maps[0]?.result.method ?? 'heatmap') : 'heatmaps';
  const suggestedName = `${fileStem(shownLabel(shown.situation))}.${methods}.${kind}`;
  return host.api.call('saveFile', { suggestedName, kind, bytes });
}
