import { DisposableStore, type Disposable } from '../../../protocol/lifecycle';
import type { PictureResult } from '../../../protocol/methods';
import type { Progress } from '../../../protocol/rpc';
import type { HeatmapState } from '../../../protocol/views';
import type { Announce } from '../lib/announce';
import { element } from '../lib/dom';
import { formatNumber } from '../lib/format';
import { cellAtFed, type Cell } from '../lib/geometry';
import { errorAction } from '../lib/host';
import type { InputPicture } from '../lib/picture';
import { TargetsLoader } from '../lib/targetsLoader';
import type { KnownTargets } from '../lib/targetWords';
import { agreementOf } from './heatmapAgreement';
import { createAgreementView } from './heatmapAgreementView';
import { HeatmapChanges, type ChangeOptions } from './heatmapChanges';
import type { ExportSource } from './heatmapExport';
import { InputTargets } from './heatmapInput';
import { heatmapOf, removePane } from './heatmapModel';
import type { PaneContext } from './heatmapPane';
import { HeatmapPanes } from './heatmapPanes';
import { HeatmapProbe } from './heatmapProbe';
import type { Exported } from './heatmapRecord';
import { KeptResults, type PaneRun } from './heatmapRun';
import { offersPlaces } from './heatmapTargetModel';
import { HeatmapTools } from './heatmapTools';
import { detailsOf, statementOf, summaryOf } from './heatmapWords';
import type { DetailsSection } from './detailsSection';
import type { Shown } from './types';

export interface HeatmapOptions extends ChangeOptions {
  /** The input picture of the frame: boxes are picked and regions dragged there. */
  readonly picture: InputPicture;
  readonly announce: Announce;
  track<T>(work: Promise<T>, stop: () => void): Promise<T>;
  onProgress(progress: Progress): void;
  /** What the frame says of the maps changed. */
  onFacts(): void;
}

/** Arrow keys move the probe over grids that are finer than this in steps of this grid. */
const STEPS = 32;

/** The Heatmap tab: maps side by side over the same picture, each with a method, layers and options, all of one target. */
export class HeatmapTab implements Disposable {
  readonly root: HTMLElement;
  private readonly panes: HeatmapPanes;
  private readonly loader: TargetsLoader;
  private readonly probe = new HeatmapProbe(() => this.probed());
  private readonly changes: HeatmapChanges;
  private readonly tools: HeatmapTools;
  private readonly agreement = createAgreementView();
  private readonly store = new DisposableStore();
  private readonly input: InputTargets;

  constructor(private readonly options: HeatmapOptions) {
    this.loader = new TargetsLoader(options.host.api, () => this.sync());
    this.changes = new HeatmapChanges(options);
    this.tools = new HeatmapTools(this.changes);
    const { host, track, onProgress } = options;
    this.panes = this.store.add(
      new HeatmapPanes(
        {
          ...{ host, track, onProgress, kept: new KeptResults() },
          onChanged: run => this.changed(run),
          choose: id => this.changes.choose(id),
          remove: id => this.changes.change(heatmap => removePane(heatmap, id)),
          apply: (id, remedy) => this.changes.apply(id, remedy),
          errorAction: error => errorAction(host, error),
        },
        this.probe,
        () => this.paint(),
      ),
    );
    this.root = element(
      'div',
      { class: 'heatmap', id: 'heatmap' },
      this.tools.root,
      element('div', { class: 'heatmap-scroll' }, this.panes.root, this.agreement.root),
    );
    this.input = this.store.add(
      new InputTargets({
        picture: options.picture,
        probe: this.probe,
        current: () => {
          const context = this.context();
          return context && { target: context.heatmap.target, known: context.known };
        },
        setTarget: target => this.changes.setTarget(target),
      }),
    );
  }

  /** Brings panes, menus and what is asked for in line with the state. */
  sync(): void {
    const context = this.context();
    if (!context) return;
    const { state, situation } = context.shown;
    const { model, input } = state;
    this.loader.sync({ model, input, revision: situation.revision }, 'view');
    this.panes.sync(context);
    this.paint();
  }

  /** Another tab came in front: nothing goes on, what there is stays. */
  leave(): void {
    for (const { run } of this.panes.all) run.pause();
    this.input.update();
  }

  /** The input picture is another one; null where there is none. */
  setPicture(result: PictureResult | null, label: string): Promise<void> {
    return this.panes.setPicture(result, label);
  }

  /** Escape: forgets the marked place. */
  back(): void {
    this.probe.choose(null);
  }

  /** Moves the marked place by an arrow key; true where it did. */
  moveProbe(key: string): boolean {
    const context = this.context();
    const active = context && this.panes.get(context.heatmap.active)?.painted;
    if (!active) return false;
    const { rows, columns } = active.map;
    const grid = { rows: Math.min(rows, STEPS), columns: Math.min(columns, STEPS) };
    if (!this.probe.move(this.options.picture.fedSize, grid, key)) return false;
    this.options.announce(this.readout());
    return true;
  }

  /** `Grad-CAM of “Samoyed” at …`: the active map in one line. */
  statement(): string {
    const context = this.context();
    const painted = context && this.panes.get(context.heatmap.active)?.painted;
    if (!context || !painted) return '';
    const { known, heatmap, labelOf } = context;
    return statementOf(painted.result, painted.map, heatmap.smooth, known.labels, labelOf);
  }

  /** What every map has at the marked place. */
  readout(): string {
    const context = this.context();
    const { point } = this.probe;
    if (!context || !point) return '';
    const values = this.panes.ordered(context.heatmap).flatMap(pane => {
      const value = pane.valueAt(point);
      return value === null ? [] : [`${pane.label} ${formatNumber(value)}`];
    });
    return [`(${Math.floor(point.x)},${Math.floor(point.y)})`, ...values].join(' · ');
  }

  details(): readonly DetailsSection[] {
    const context = this.context();
    return this.exported().map(({ result }) =>
      detailsOf(result, context?.known.labels ?? null, id => context?.labelOf(id) ?? id),
    );
  }

  /** No map could be shown yet. */
  get isEmpty(): boolean {
    return this.panes.all.every(({ painted }) => !painted);
  }

  /** The maps that are painted and answer what was asked, in order, for export. */
  exported(): readonly Exported[] {
    const context = this.context();
    if (!context) return [];
    return this.panes
      .ordered(context.heatmap)
      .flatMap(({ painted, run, label }) =>
        painted && run.answered && !run.isStale
          ? [{ ...painted, params: run.answered.params, isPartial: run.isPartial, label }]
          : [],
      );
  }

  /** The map that the menus speak of, once it is painted. */
  get active(): Exported | null {
    const context = this.context();
    const pane = context && this.panes.get(context.heatmap.active);
    return pane ? (this.exported().find(({ result }) => result === pane.run.result) ?? null) : null;
  }

  /** What an export of the maps is made from, but for how the input is fed. */
  exportSource(shown: Shown): Omit<ExportSource, 'preprocessing'> {
    return {
      host: this.options.host,
      shown,
      maps: this.exported(),
      image: this.options.picture.image,
      smooth: heatmapOf(shown.state).smooth,
      labelOf: id => shown.situation.layers.find(layer => layer.id === id)?.label ?? id,
    };
  }

  dispose(): void {
    this.store.dispose();
  }

  private context(): PaneContext | null {
    const shown = this.options.shown();
    if (!shown) return null;
    const { situation, state } = shown;
    const heatmap = heatmapOf(state);
    const labelOf = (id: string): string =>
      situation.layers.find(layer => layer.id === id)?.label ?? id;
    return { shown, heatmap, known: this.known(shown), point: this.probe.point, labelOf };
  }

  private known({ situation, state }: Shown): KnownTargets {
    const { targets } = this.loader;
    const told = this.panes.all.find(
      ({ run }) => run.result?.predicted && run.answered?.params.input === state.input,
    );
    const predicted = targets?.predicted ?? told?.run.result?.predicted ?? null;
    return { labels: situation.labels, targets, predicted };
  }

  private changed(run: PaneRun): void {
    if (!run.isRunning && run.result && !run.isStale) this.speak(run);
    if (run.error) this.options.announce(run.error.message);
    this.paint();
  }

  private speak(run: PaneRun): void {
    const context = this.context();
    const pane = this.panes.all.find(each => each.run === run);
    if (!context || !pane) return;
    pane.update(context);
    const { painted } = pane;
    if (!painted) return;
    const { findings } = painted.result;
    const summary = summaryOf(painted.result, painted.map, context.known.labels);
    this.options.announce([summary, ...findings.map(({ message }) => message)].join('. '));
  }

  private paint(): void {
    const context = this.context();
    if (!context) return;
    const panes = this.panes.ordered(context.heatmap);
    for (const pane of panes) pane.update(context);
    const ranked = panes.filter(({ run }) => run.result && !run.isStale);
    this.agreement.set(
      ranked.map(pane => pane.label),
      agreementOf(ranked.flatMap(({ painted }) => painted?.map ?? [])),
    );
    this.input.update();
    this.root
      .closest('.viewer')
      ?.classList.toggle('has-choices', offersPlaces(context.heatmap.target, context.known));
    this.updateTools(context);
    this.options.onFacts();
    document.body.dataset['heatmap'] = JSON.stringify(
      panes.map(({ run }) => ({ layer: context.shown.state.layer, ...run.told() })),
    );
  }

  private updateTools(context: PaneContext): void {
    const { heatmap, shown, known, labelOf } = context;
    const { state, situation } = shown;
    const { suggestedLayer: suggested, layersWithGrid } = this.loader.targets ?? {};
    const withGrid = new Set(layersWithGrid);
    const [tensor] = situation.layer?.outputs ?? [];
    const viewerLayer = { id: state.layer, label: labelOf(state.layer) };
    const { reason = '', layer: best = null } = suggested ?? {};
    this.tools.update({
      ...{ heatmap, known, viewerLayer },
      layers: situation.layers.filter(({ id }) => withGrid.has(id)),
      suggested: best === null ? null : { id: best, label: labelOf(best), reason },
      used: this.panes.get(heatmap.active)?.run.result?.options ?? {},
      layer: tensor === undefined ? null : { tensor, label: viewerLayer.label },
      marked: this.markedCell(heatmap),
    });
  }

  /** The picked place as a cell of the first map of a single layer. */
  private markedCell(heatmap: HeatmapState): Cell | null {
    const { pick } = this.probe;
    const own = this.panes
      .ordered(heatmap)
      .find(({ painted }) => painted?.result.layers.length === 1);
    if (!pick || !own?.painted) return null;
    return cellAtFed(this.options.picture.fedSize, own.painted.map, pick);
  }

  private probed(): void {
    const context = this.context();
    if (!context) return;
    this.input.update();
    for (const pane of this.panes.all) pane.mark(context);
    // A channel's target can be narrowed to the picked place.
    if (context.heatmap.target.kind === 'channel') this.updateTools(context);
    this.options.onFacts();
  }
}
