import type { Remedy, TargetSpec } from '../../../protocol/attribution';
import { DisposableStore, type Disposable } from '../../../protocol/lifecycle';
import type { PictureResult } from '../../../protocol/methods';
import type { Progress } from '../../../protocol/rpc';
import type { HeatmapPane, HeatmapState, ViewerState } from '../../../protocol/views';
import type { Announce } from '../lib/announce';
import { element } from '../lib/dom';
import { formatNumber } from '../lib/format';
import { errorAction, type Host } from '../lib/host';
import type { InputPicture } from '../lib/picture';
import type { KnownTargets } from '../lib/targetWords';
import { agreementOf } from './heatmapAgreement';
import { createAgreementView } from './heatmapAgreementView';
import type { Exported, ExportSource } from './heatmapExport';
import { InputTargets } from './heatmapInput';
import { TargetsLoader } from './heatmapKnown';
import { addPane, heatmapOf, removePane, withMethod, withPane } from './heatmapModel';
import { HeatmapPaneController, type PaneContext } from './heatmapPane';
import { HeatmapProbe } from './heatmapProbe';
import { KeptResults, type PaneRun } from './heatmapRun';
import { offersPlaces } from './heatmapTargetModel';
import { HeatmapTools } from './heatmapTools';
import { detailsOf, statementOf, summaryOf } from './heatmapWords';
import type { DetailsSection, Shown } from './types';

export interface HeatmapOptions {
  readonly host: Host<ViewerState>;
  /** The input picture of the frame: boxes are picked and regions dragged there. */
  readonly picture: InputPicture;
  readonly announce: Announce;
  /** Null unless this tab is in front. */
  shown(): Shown | null;
  patch(patch: Partial<ViewerState>): void;
  goToLayer(layer: string): void;
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
  private readonly panes = new Map<number, HeatmapPaneController>();
  private readonly kept = new KeptResults();
  private readonly loader: TargetsLoader;
  private readonly probe = new HeatmapProbe(() => this.probed());
  private readonly tools: HeatmapTools;
  private readonly agreement = createAgreementView();
  private readonly place = element('div', { class: 'panes' });
  private readonly store = new DisposableStore();
  private readonly input: InputTargets;
  /** The pane that was scrolled to last. */
  private reached = -1;
  private picture: { readonly result: PictureResult; readonly label: string } | null = null;

  constructor(private readonly options: HeatmapOptions) {
    this.loader = new TargetsLoader(options.host, () => this.sync());
    this.tools = new HeatmapTools({
      setMethod: method => this.change(heatmap => withMethod(heatmap, heatmap.active, method)),
      setLayers: layers => this.change(heatmap => withPane(heatmap, heatmap.active, { layers })),
      setTarget: target => this.setTarget(target),
      setOptions: chosen =>
        this.change(heatmap => withPane(heatmap, heatmap.active, { options: chosen })),
      setLook: look => this.change(heatmap => ({ ...heatmap, ...look })),
      compare: pane => this.change(heatmap => addPane(heatmap, pane)),
      goToLayer: layer => options.goToLayer(layer),
      chooseFile: () =>
        options.host.api.call('chooseFile', {
          title: 'Choose the baseline',
          extensions: ['png', 'jpg', 'jpeg', 'bmp', 'gif', 'tif', 'tiff', 'webp', 'npy'],
        }),
    });
    this.root = element(
      'div',
      { class: 'heatmap', id: 'heatmap' },
      this.tools.root,
      element('div', { class: 'heatmap-scroll' }, this.place, this.agreement.root),
    );
    this.input = this.store.add(
      new InputTargets({
        picture: options.picture,
        probe: this.probe,
        current: () => {
          const context = this.context();
          return context && { target: context.heatmap.target, known: context.known };
        },
        setTarget: target => this.setTarget(target),
      }),
    );
  }

  /** Brings panes, menus and what is asked for in line with the state. */
  sync(): void {
    const context = this.context();
    if (!context) return;
    const { heatmap, shown } = context;
    this.loader.sync(shown);
    for (const [id, pane] of this.panes)
      if (!heatmap.panes.some(wanted => wanted.id === id)) {
        pane.dispose();
        this.panes.delete(id);
      }
    for (const wanted of heatmap.panes)
      (this.panes.get(wanted.id) ?? this.make(wanted)).ask(wanted, context);
    this.place.dataset['count'] = String(heatmap.panes.length);
    const roots = this.ordered(heatmap).map(({ view }) => view.root);
    const isOther = roots.some((root, index) => root !== this.place.children[index]);
    if (isOther || roots.length !== this.place.children.length)
      this.place.replaceChildren(...roots);
    this.paint();
    if (heatmap.active === this.reached) return;
    this.reached = heatmap.active;
    this.panes.get(heatmap.active)?.view.root.scrollIntoView({ block: 'nearest' });
  }

  /** Another tab came in front: nothing goes on, what there is stays. */
  leave(): void {
    for (const { run } of this.panes.values()) run.pause();
    this.input.update();
  }

  /** The input picture is another one; null where there is none. */
  async setPicture(result: PictureResult | null, label: string): Promise<void> {
    this.picture = result && { result, label };
    for (const pane of this.panes.values()) await this.givePicture(pane);
    this.paint();
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
    const values = this.ordered(context.heatmap).flatMap(pane => {
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

  /** The maps that are painted, in order, for export. */
  exported(): readonly Exported[] {
    const context = this.context();
    if (!context) return [];
    return this.ordered(context.heatmap).flatMap(({ painted, run, label }) =>
      painted && run.answered
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
    for (const pane of this.panes.values()) pane.dispose();
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
    const told = [...this.panes.values()].find(
      ({ run }) => run.result?.predicted && run.answered?.params.input === state.input,
    );
    const predicted = targets?.predicted ?? told?.run.result?.predicted ?? null;
    return { labels: situation.labels, targets, predicted };
  }

  private ordered({ panes }: HeatmapState): readonly HeatmapPaneController[] {
    return panes.flatMap(({ id }) => this.panes.get(id) ?? []);
  }

  private make(pane: HeatmapPane): HeatmapPaneController {
    const { host, track, onProgress } = this.options;
    const made = new HeatmapPaneController(pane, {
      ...{ host, track, onProgress, kept: this.kept },
      onChanged: run => this.changed(run),
      choose: id => this.choose(id),
      remove: id => this.change(heatmap => removePane(heatmap, id)),
      apply: (id, remedy) => this.apply(id, remedy),
      errorAction: error => errorAction(host, error),
    });
    this.panes.set(pane.id, made);
    const { picture } = made.view;
    picture.onHover(point => this.probe.hover(point));
    picture.onPick(() => this.probe.choose(this.probe.point));
    void this.givePicture(made).then(() => this.paint());
    return made;
  }

  private async givePicture({ view }: HeatmapPaneController): Promise<void> {
    if (!this.picture) return view.picture.clear();
    const { result, label } = this.picture;
    view.setAspect(result.width / result.height);
    await view.picture.setPicture(result, label);
  }

  private changed(run: PaneRun): void {
    if (!run.isRunning && run.result && !run.isStale) this.speak(run);
    if (run.error) this.options.announce(run.error.message);
    this.paint();
  }

  private speak(run: PaneRun): void {
    const context = this.context();
    const pane = [...this.panes.values()].find(each => each.run === run);
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
    const panes = this.ordered(context.heatmap);
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

  private updateTools({ heatmap, known, shown, labelOf }: PaneContext): void {
    const { layer } = shown.situation;
    const { suggestedLayer, layersWithGrid } = this.loader.targets ?? {};
    const withGrid = new Set(layersWithGrid);
    const { result } = this.panes.get(heatmap.active)?.run ?? {};
    const [tensor] = layer?.outputs ?? [];
    this.tools.update({
      heatmap,
      known,
      viewerLayer: { id: shown.state.layer, label: labelOf(shown.state.layer) },
      layers: shown.situation.layers.filter(({ id }) => withGrid.has(id)),
      suggested: suggestedLayer
        ? {
            id: suggestedLayer.layer,
            label: labelOf(suggestedLayer.layer),
            reason: suggestedLayer.reason,
          }
        : null,
      used: result?.options ?? {},
      layer: tensor === undefined ? null : { tensor, label: labelOf(shown.state.layer) },
      marked: this.markedCell(),
    });
  }

  /** The picked place as a cell of the first map of the viewer's layer. */
  private markedCell(): { readonly row: number; readonly column: number } | null {
    const context = this.context();
    const { pick } = this.probe;
    const own =
      context &&
      this.ordered(context.heatmap).find(({ painted }) => painted?.result.layers.length === 1);
    if (!pick || !own?.painted) return null;
    const { width, height } = this.options.picture.fedSize;
    const { rows, columns } = own.painted.map;
    return {
      row: Math.min(Math.floor((pick.y / height) * rows), rows - 1),
      column: Math.min(Math.floor((pick.x / width) * columns), columns - 1),
    };
  }

  private probed(): void {
    const context = this.context();
    if (!context) return;
    this.input.update();
    for (const pane of this.panes.values()) pane.mark(context);
    this.options.onFacts();
  }

  private choose(id: number): void {
    this.change(heatmap => (heatmap.active === id ? heatmap : { ...heatmap, active: id }));
  }

  private change(make: (heatmap: HeatmapState) => HeatmapState): void {
    const shown = this.options.shown();
    if (!shown) return;
    const before = heatmapOf(shown.state);
    const heatmap = make(before);
    if (heatmap !== before) this.options.patch({ heatmap });
  }

  private setTarget(target: TargetSpec): void {
    this.change(heatmap => ({ ...heatmap, target }));
  }

  /** The button of a finding. */
  private apply(id: number, remedy: Remedy): void {
    if (remedy.kind === 'signed') this.change(heatmap => ({ ...heatmap, part: 'signed' }));
    else if (remedy.kind === 'target') this.setTarget(remedy.target);
    else if (remedy.kind === 'method')
      this.change(heatmap => withMethod(heatmap, id, remedy.method));
    else if (remedy.kind === 'layer') this.useLayer(id, remedy.layer);
    else errorAction(this.options.host, { code: 'internal', action: remedy.action })?.run();
  }

  /** A pane that follows the viewer takes the viewer along. */
  private useLayer(id: number, layer: string): void {
    const { heatmap } = this.context() ?? {};
    const pane = heatmap?.panes.find(each => each.id === id);
    if (pane?.layers.length === 0) this.options.goToLayer(layer);
    else this.change(before => withPane(before, id, { layers: [layer] }));
  }
}
