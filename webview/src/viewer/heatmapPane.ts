import type { ExplainResult, Remedy } from '../../../protocol/attribution';
import { ATTRIBUTION_FACTS } from '../../../protocol/attributionFacts';
import type { WireError } from '../../../protocol/errors';
import type { HeatmapPane, HeatmapState } from '../../../protocol/views';
import { gridText, shownMap, type ShownMap } from '../lib/attributionMap';
import { cellAtFed, type Point } from '../lib/geometry';
import { formatNumber } from '../lib/format';
import type { MessageAction } from '../lib/message';
import type { KnownTargets } from '../lib/targetWords';
import { explainParams, misleads, paneKey, remediesOf, tagOf, usesLayer } from './heatmapModel';
import { HeatmapPaneView, type PaneMessage } from './heatmapPaneView';
import { PaneRun, type RunOptions } from './heatmapRun';
import { layersText, percent, settingsText, summaryOf } from './heatmapWords';
import type { Shown } from './types';

/** What all panes are shown with. */
export interface PaneContext {
  readonly shown: Shown;
  readonly heatmap: HeatmapState;
  readonly known: KnownTargets;
  /** The marked place in fed pixels. */
  readonly point: Point | null;
  labelOf(layer: string): string;
}

export interface PaneOptions extends RunOptions {
  choose(id: number): void;
  remove(id: number): void;
  apply(id: number, remedy: Remedy): void;
  errorAction(error: WireError): MessageAction | null;
}

/** A gap of Integrated Gradients above this share is shown as a fault. */
const GAP_LIMIT = 0.01;

/** One map: asks for it, paints it, says what it is. */
export class HeatmapPaneController {
  readonly run: PaneRun;
  readonly view: HeatmapPaneView;
  private made: {
    readonly key: string;
    readonly of: ExplainResult;
    readonly map: ShownMap;
  } | null = null;

  constructor(
    private pane: HeatmapPane,
    private readonly options: PaneOptions,
  ) {
    this.run = new PaneRun(options);
    const { id } = pane;
    this.view = new HeatmapPaneView({
      choose: () => options.choose(id),
      remove: () => options.remove(id),
    });
  }

  /** What is painted now: a result and the part of it that is seen. */
  get painted(): { readonly result: ExplainResult; readonly map: ShownMap } | null {
    return this.made && { result: this.made.of, map: this.made.map };
  }

  get label(): string {
    return ATTRIBUTION_FACTS[this.pane.method].label;
  }

  /** Asks for what the pane is to show. */
  ask(pane: HeatmapPane, { shown, heatmap }: PaneContext): void {
    this.pane = pane;
    const params = explainParams(shown.state, heatmap, pane);
    const key = paneKey(params, shown.situation.revision);
    this.run.ask({ key, params, refines: ATTRIBUTION_FACTS[pane.method].refines });
  }

  /** Paints the map and its words as they are now. */
  update(context: PaneContext): void {
    const { shown, heatmap } = context;
    const { result } = this.run;
    if (result) {
      const key = `${heatmap.part} ${shown.state.colorMap}`;
      if (this.made?.of !== result || this.made.key !== key)
        this.made = { key, of: result, map: shownMap(result, heatmap.part, shown.state.colorMap) };
      const { map } = this.made;
      this.view.picture.setOverlay({ ...map, smooth: heatmap.smooth });
      this.view.picture.setLabel(summaryOf(result, map, context.known.labels));
      this.view.picture.setCells(heatmap.grid && result.layers.length > 0 ? map : null);
      this.view.bar.set(map.colorMap, map.range, map.note);
    } else {
      this.view.picture.setOverlay(null);
      this.view.bar.set('grey', null, '');
    }
    this.view.picture.setOpacity(shown.state.opacity);
    this.mark(context);
  }

  /** Words and mark only: another place is pointed at. */
  mark(context: PaneContext): void {
    const { heatmap, point, labelOf } = context;
    const { run, pane } = this;
    const facts = ATTRIBUTION_FACTS[pane.method];
    this.view.picture.setMarks(point && { point, field: null });
    const value = this.valueAt(point);
    const fresh = run.isStale ? null : run.result;
    this.view.update({
      title: facts.label,
      tag: tagOf(pane.method),
      where: fresh ? layersText(fresh, labelOf) : this.askedLayers(context),
      caption: this.caption(heatmap.smooth),
      settings: fresh ? settingsText(fresh) : '',
      gap: gapOf(fresh),
      value: value === null ? '' : formatNumber(value),
      limit: facts.limit,
      misleads: misleads(pane.method),
      messages: this.messages(context),
      isActive: pane.id === heatmap.active && heatmap.panes.length > 1,
      canRemove: heatmap.panes.length > 1,
      isBusy: run.isRunning,
      isStale: run.isStale || run.result === null,
    });
  }

  /** The shown value at a place in fed pixels; null while another map is asked for. */
  valueAt(point: Point | null): number | null {
    const { painted } = this;
    if (!point || !painted || this.run.isStale) return null;
    const { map } = painted;
    const { row, column } = cellAtFed(this.view.picture.fedSize, map, point);
    return map.values[row * map.columns + column] ?? null;
  }

  dispose(): void {
    this.run.dispose();
    this.view.dispose();
  }

  private askedLayers({ shown, labelOf }: PaneContext): string {
    const { method, layers } = this.pane;
    if (!usesLayer(method)) return '';
    const asked = layers.length > 0 ? layers : [shown.state.layer];
    return asked.length > 2 ? `${asked.length} layers` : asked.map(labelOf).join(' + ');
  }

  private caption(smooth: boolean): string {
    const { run } = this;
    const far = run.fraction === null ? 'computing…' : `${percent(run.fraction)} computed`;
    if (!run.result || run.isStale) return run.isRunning ? far : '';
    const grid = gridText(run.result);
    return [
      grid.includes('upsampled') ? `${grid}, ${smooth ? 'bilinear' : 'nearest'}` : grid,
      ...(run.isRunning ? [far] : []),
      ...(run.isStopped && run.isPartial ? ['unfinished'] : []),
    ].join(' · ');
  }

  private messages(context: PaneContext): readonly PaneMessage[] {
    const { run, pane, options } = this;
    const act = (remedy: Remedy): MessageAction => ({
      label: remedy.title,
      run: () => options.apply(pane.id, remedy),
    });
    const again = (label: string): MessageAction => ({ label, run: () => run.retry() });
    if (run.error) {
      const own = options.errorAction(run.error);
      const suggested = context.known.targets?.suggestedLayer ?? null;
      const remedies = remediesOf(run.error, pane, context.shown.state.layer, suggested).map(act);
      const actions = [...(own ? [own] : []), ...remedies];
      return [
        {
          severity: 'warning',
          text: run.error.message,
          actions: actions.length > 0 ? actions : [again('Try Again')],
        },
      ];
    }
    const stopped: readonly PaneMessage[] = run.isStopped
      ? [{ severity: 'information', text: stoppedText(run), actions: [again('Start Again')] }]
      : [];
    if (!run.result || run.isStale) return stopped;
    const { findings, approximate } = run.result;
    const told = findings.some(({ kind }) => kind === 'approximate');
    return [
      ...stopped,
      ...findings
        // Said of every map of a method, in its own place.
        .filter(({ kind }) => kind !== 'limit' || !misleads(pane.method))
        .map(({ severity, message, remedy }) => ({
          severity,
          text: message,
          actions: remedy ? [act(remedy)] : [],
        })),
      ...(approximate !== null && !told
        ? [{ severity: 'warning', text: approximate, actions: [] } as const]
        : []),
    ];
  }
}

function stoppedText({ result, isStale, isPartial, fraction }: PaneRun): string {
  const far = fraction === null ? '' : ` at ${percent(fraction)}`;
  return result && !isStale && isPartial
    ? `Stopped${far}: the map is unfinished.`
    : `Stopped${far}.`;
}

/** How well the steps of Integrated Gradients add up. */
const gapOf = (result: ExplainResult | null): { text: string; isBad: boolean } | null =>
  result?.completeness
    ? {
        text: `completeness gap ${percent(result.completeness.gap)}`,
        isBad: !(Math.abs(result.completeness.gap) <= GAP_LIMIT),
      }
    : null;
