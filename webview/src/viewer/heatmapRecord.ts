import type { ExplainResult } from '../../../protocol/attribution';
import { ATTRIBUTION_FACTS } from '../../../protocol/attributionFacts';
import type { PreprocessingSpec } from '../../../protocol/preprocessing';
import type { ViewParams } from '../../../protocol/server';
import type { ViewerState } from '../../../protocol/views';
import type { ShownMap } from '../lib/attributionMap';
import { baseName } from '../lib/format';
import { preprocessingRows } from '../lib/preprocessingRows';
import { agreementOf } from './heatmapAgreement';
import { recordOf } from './heatmapWords';

/** What leaves the page beside the maps: where everything comes from, and how far they agree. */

/** A map as it is painted, with what was asked for it. */
export interface Exported {
  readonly result: ExplainResult;
  readonly map: ShownMap;
  readonly params: ViewParams<'explain'>;
  /** The method was stopped, or goes on. */
  readonly isPartial: boolean;
  readonly label: string;
}

/** What is recorded of the maps that are shown. */
export interface ExportRecord {
  readonly state: ViewerState;
  readonly maps: readonly Exported[];
  readonly preprocessing: readonly PreprocessingSpec[];
}

/** Said beside a picture of one method. */
export const ONE_METHOD =
  'One method is not enough: what another family of methods does not confirm may be the method’s doing.';

/** Lines that stand under the pictures of an export: where everything comes from, and how far the maps agree. */
export function provenance({ state, maps, preprocessing }: ExportRecord): readonly string[] {
  const { model, input } = state;
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

/** Everything known of the maps that are shown; without the numbers themselves. */
export function recordOfAll({ state, maps, preprocessing }: ExportRecord): unknown {
  const { model, layer, input, heatmap } = state;
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
