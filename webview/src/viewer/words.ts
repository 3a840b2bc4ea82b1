import { layerFacts, layerLabel } from '../../../protocol/layerFacts';
import { counted, formatNumber } from '../lib/format';
import type { Stage } from './stage';
import type { DetailsSection } from './detailsSection';
import type { ChannelSource, Shown } from './types';
import type { FrameFacts } from './view';

/** What the frame says besides the state. */
export function frameFacts(shown: Shown, source: ChannelSource | null, stage: Stage): FrameFacts {
  const views = source?.filterViews;
  const enlarged = stage.isEnlarged;
  return {
    views: views?.all ?? [],
    view: views?.chosen ?? '',
    slices: views?.slices ?? 0,
    countText: source && source.count > 0 ? countText(shown, source, stage) : '',
    statement: source?.statement(enlarged ? shown.state.channel : null) ?? '',
    canRecompute: stage.canRecompute,
    enlarged,
  };
}

/** What the frame says over maps that have their own words. */
export const heatmapFacts = (statement: string): FrameFacts => ({
  views: [],
  view: '',
  slices: 0,
  countText: '',
  statement,
  canRecompute: false,
  enlarged: false,
});

function countText(shown: Shown, source: ChannelSource, stage: Stage): string {
  if (shown.state.tab === 'filters') return `${source.count} · mean below each`;
  if (source.isVector) return counted(source.count, 'value');
  const { cell } = stage.probe;
  return cell
    ? `${source.count} · value at (${cell.row},${cell.column})`
    : `${source.count} · mean below each`;
}

/** `ch 217 (3,4) = 2.918`: the place and channel that are pointed at, as far as they are known. */
export function readoutText(source: ChannelSource | null, stage: Stage): string {
  const { channel } = stage;
  const { cell } = stage.probe;
  if (!source || source.count === 0) return '';
  if (channel === null) return cell ? `(${cell.row},${cell.column})` : '';
  if (!cell) return source.describe(channel);
  const value = stage.valueAt(channel, cell);
  return `ch ${channel} (${cell.row},${cell.column})${value === null ? '' : ` = ${formatNumber(value)}`}`;
}

/** What the layer is, for the details. */
export function layerSection({ situation: { layer } }: Shown): readonly DetailsSection[] {
  if (!layer) return [];
  return [
    {
      title: 'Layer',
      rows: [
        ['Name', layerLabel(layer)],
        ['Node', layer.id],
        ['What it is', layerFacts(layer)],
        ['Inputs', layer.inputs.join(', ')],
        ['Outputs', layer.outputs.join(', ')],
        ...(layer.source ? [['Source', `${layer.source.file}:${layer.source.line}`] as const] : []),
      ],
    },
  ];
}
