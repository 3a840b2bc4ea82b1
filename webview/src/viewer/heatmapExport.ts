import type { ExplainResult } from '../../../protocol/attribution';
import { ATTRIBUTION_FACTS } from '../../../protocol/attributionFacts';
import type { PreprocessingSpec } from '../../../protocol/preprocessing';
import type { ViewParams } from '../../../protocol/server';
import type { ViewerState } from '../../../protocol/views';
import type { ShownMap } from '../lib/attributionMap';
import { baseName } from '../lib/format';
import type { Host } from '../lib/host';
import { encodeNpy } from '../lib/npy';
import { preprocessingRows } from '../lib/preprocessingRows';
import { agreementOf } from './heatmapAgreement';
import { drawFigure } from './heatmapFigure';
import { captionOf, recordOf } from './heatmapWords';
import { fileStem, shownLabel } from './model';
import type { Shown } from './types';

/** A map as it is painted, with what was asked for it. */
export interface Exported {
  readonly result: ExplainResult;
  readonly map: ShownMap;
  readonly params: ViewParams<'explain'>;
  /** The method was stopped, or goes on. */
  readonly isPartial: boolean;
  readonly label: string;
}

/** What an export is made from. */
export interface ExportSource {
  readonly host: Host<ViewerState>;
  readonly shown: Shown;
  readonly maps: readonly Exported[];
  readonly image: ImageBitmap | null;
  readonly smooth: boolean;
  readonly preprocessing: readonly PreprocessingSpec[];
  labelOf(layer: string): string;
}

/** Said beside a picture of one method. */
export const ONE_METHOD =
  'One method is not enough: what another family of methods does not confirm may be the method’s doing.';

/** Lines that stand under the pictures of an export: where everything comes from, and how far the maps agree. */
export function provenance({
  shown,
  maps,
  preprocessing,
}: Pick<ExportSource, 'shown' | 'maps' | 'preprocessing'>): readonly string[] {
  const { model, input } = shown.state;
  const families = new Set(maps.map(({ result }) => ATTRIBUTION_FACTS[result.method].family));
  const agreement = agreementOf(maps.map(({ map }) => map));
  const pairs = maps.flatMap((a, i) =>
    maps.slice(i + 1).map((b, j) => {
      const value = agreement?.matrix[i]?.[i + 1 + j] ?? null;
      return `${a.label} and ${b.label} ${value === null ? 'none' : value.toFixed(2)}`;
    }),
  );
  const [fed] = preprocessing;
  return [
    `Model ${baseName(model)} · input ${input === null ? 'default' : baseName(input)}`,
    ...(fed
      ? [
          `Fed as ${preprocessingRows(fed)
            .map(({ name, value }) => `${name.toLowerCase()} ${value}`)
            .join(', ')}`,
        ]
      : []),
    ...(agreement
      ? [
          `Rank correlation on ${agreement.grid.rows}×${agreement.grid.columns}: ${pairs.join(', ')}`,
        ]
      : []),
    ...(families.size < 2 ? [ONE_METHOD] : []),
  ];
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
    notes: provenance(source),
  });
  const blob = await new Promise<Blob | null>(resolve => canvas.toBlob(resolve, 'image/png'));
  if (!blob) throw new Error('the picture could not be written');
  const bytes = new Uint8Array(await blob.arrayBuffer());
  return save(source, 'png', bytes);
}

/** Saves everything known of the maps but their numbers. */
export function saveRecord(source: ExportSource): Promise<boolean> {
  const text = JSON.stringify(recordOfAll(source), null, 2);
  return save(source, 'json', new TextEncoder().encode(`${text}\n`));
}

/** Everything known of the maps that are shown; without the numbers themselves. */
export function recordOfAll({
  shown,
  maps,
  preprocessing,
}: Pick<ExportSource, 'shown' | 'maps' | 'preprocessing'>): unknown {
  const { model, layer, input, heatmap } = shown.state;
  const agreement = agreementOf(maps.map(({ map }) => map));
  return {
    model,
    input,
    layer,
    shown: heatmap?.part ?? 'strength',
    maps: maps.map(({ result, isPartial, map }) => ({
      ...recordOf(result),
      ...(isPartial ? { unfinished: true } : {}),
      seen: { what: map.note, low: map.range.low, high: map.range.high, colors: map.colorMap },
    })),
    agreement: agreement && { measure: 'spearman', ...agreement },
    preprocessing,
  };
}

/**
 * Saves the numbers of one map as float32: a layer's map as it is, [rows, columns]; for methods on the input the attribution of every
 * fed value, in the shape that is fed. An unfinished map is saved as it is shown.
 */
export async function saveMap(
  source: ExportSource,
  { result, params, isPartial }: Exported,
  signal: AbortSignal,
): Promise<boolean> {
  const { host } = source;
  if (isPartial || ATTRIBUTION_FACTS[result.method].of === 'layer')
    return save(source, 'npy', npyOf([result.rows, result.columns], result.map));
  const full = await host.api.call('explain', { ...params, want: 'full' }, { signal });
  return save(source, 'npy', npyOf(full.attributionShape, full.attribution));
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
