import { fromWireError, toWireError } from '../../../protocol/errors';
import type { PreprocessingSpec } from '../../../protocol/preprocessing';
import type { ViewerSituation, ViewerState, ViewerTab } from '../../../protocol/views';
import { createAnnouncer } from '../lib/announce';
import { createBusy } from '../lib/busy';
import { pageRoot } from '../lib/dom';
import { connectHost, errorAction } from '../lib/host';
import { Latest } from '../lib/latest';
import type { MessageAction } from '../lib/message';
import { createDetails } from './details';
import { HeatmapTab } from './heatmap';
import { Inputs } from './inputs';
import { listenToKeys } from './keys';
import { atLayer, neighbourLayer, takeOver } from './model';
import { ModelFacts } from './modelFacts';
import { recordShown, saveShown } from './saving';
import { Sources } from './sources';
import { Stage } from './stage';
import { TABS } from './tabs';
import type { Shown } from './types';
import { ViewerView, type ExportKind } from './view';
import { frameFacts, heatmapFacts, layerSection, readoutText } from './words';

/** The page: what is shown, and everything that follows when it changes. */
export class Viewer {
  private situation: ViewerSituation | null = null;
  private state: ViewerState | null = null;
  private steps: readonly string[] = [];
  private fed: readonly PreprocessingSpec[] = [];
  private readonly announce = createAnnouncer(pageRoot());
  private readonly busy = createBusy(busy => this.view.setBusy(busy));
  private readonly details = createDetails(() => this.copyDetails());
  private readonly saving = new Latest();
  readonly host = connectHost<ViewerSituation, ViewerState>(situation => this.take(situation));
  readonly sources: Sources = new Sources({
    host: this.host,
    live: () => this.shown,
    track: (work, stop) => this.busy.track(work, stop),
    onChanged: () => this.dataChanged(),
    onFailed: (error, lost) => this.fail(error, lost),
  });
  private readonly stage: Stage = new Stage({
    host: this.host,
    sources: () => this.sources,
    announce: this.announce,
    shown: () => this.shown,
    patch: patch => this.patch(patch),
    onFacts: () => this.updateFacts(),
    track: (work, stop) => this.busy.track(work, stop),
    onFailed: error => this.fail(error, false),
  });
  readonly facts = new ModelFacts(this.host);
  readonly heatmap: HeatmapTab = new HeatmapTab({
    host: this.host,
    picture: this.stage.picture,
    announce: this.announce,
    shown: () => (this.isHeatmap ? this.shown : null),
    patch: patch => this.patch(patch),
    goToLayer: layer => this.goToLayer(layer),
    track: (work, stop) => this.busy.track(work, stop),
    onProgress: progress => this.busy.report(progress),
    onFacts: () => this.updateFacts(),
  });
  private readonly view: ViewerView = new ViewerView(
    {
      step: direction => this.step(direction),
      chooseTab: tab => this.chooseTab(tab),
      patch: patch => this.patch(patch),
      chooseInput: () => this.host.run('layerLens.chooseInput'),
      save: what => this.save(what),
      back: () => this.back(),
      neighbour: direction => this.stage.neighbour(direction),
      recompute: () => this.stage.recompute(),
      toggleDetails: () => this.toggleDetails(),
    },
    {
      busy: this.busy.root,
      details: this.details.root,
      picture: this.stage.picture.root,
      content: this.stage.content,
      heatmap: this.heatmap.root,
    },
  );
  private readonly inputs = new Inputs(this.host, this.stage.picture, {
    onPicture: (problem, result, label) => {
      void this.heatmap.setPicture(result, label);
      this.pictureChanged(problem);
    },
    onPrediction: (text, title) => this.view.setPrediction(text, title),
  });

  start(): void {
    pageRoot().append(this.view.root);
    listenToKeys({
      step: direction => this.step(direction),
      tab: tab => this.chooseTab(tab),
      back: () => this.back(),
      neighbour: direction => this.stage.neighbour(direction),
      moveProbe: key => (this.isHeatmap ? this.heatmap : this.stage).moveProbe(key),
      isEnlarged: () => this.stage.isEnlarged,
    });
  }

  private get shown(): Shown | null {
    return this.situation && this.state ? { situation: this.situation, state: this.state } : null;
  }

  private get isHeatmap(): boolean {
    return this.state?.tab === 'heatmap';
  }

  /** Nothing of this tab could be shown yet. */
  private get isEmpty(): boolean {
    return this.isHeatmap ? this.heatmap.isEmpty : this.sources.current === null;
  }

  private take(situation: ViewerSituation): void {
    const taken = takeOver(this.state, situation.state, this.steps);
    if (!taken) return;
    // A model that cannot be read says nothing of its layers; their names are known from before.
    const layers = situation.error ? (this.situation?.layers ?? []) : situation.layers;
    this.situation = { ...situation, layers };
    this.state = taken.state;
    this.steps = taken.steps;
    this.host.keepState(taken.state);
    this.view.line.hide();
    if (situation.error) this.fail(fromWireError(situation.error), this.isEmpty);
    this.apply();
  }

  /** What the person changed: shown, told to the host, kept. */
  private patch(patch: Partial<ViewerState>): void {
    if (!this.state) return;
    this.state = { ...this.state, ...patch };
    this.host.saveState(this.state);
    this.apply();
  }

  private apply(): void {
    const { shown } = this;
    if (!shown) return;
    this.inputs.sync(shown);
    const obstacle = this.obstacle(shown);
    if (obstacle) this.view.area.show(obstacle.text, obstacle.actions);
    else if (shown.situation.layer && !shown.situation.error) this.syncTab(shown);
    this.hideContentUnderArea();
    this.stage.refresh();
    this.updateFacts();
    this.fillDetails();
  }

  private syncTab(shown: Shown): void {
    if (shown.state.tab === 'heatmap') {
      this.view.area.hide();
      this.heatmap.sync();
      this.inputs.predict(shown);
      return;
    }
    this.sources.sync();
    if (!this.sources.hasFailed) this.view.area.hide();
  }

  /** Why the tab can't be shown now, with what can be done about it. */
  private obstacle({
    situation,
    state,
  }: Shown): { text: string; actions: readonly MessageAction[] } | null {
    if (state.tab === 'filters') return null;
    if (!situation.mayRun)
      return {
        text: 'Running models waits for workspace trust.',
        actions: [{ label: 'Manage Trust', run: () => this.host.run('layerLens.manageTrust') }],
      };
    if (state.input === null)
      return {
        text: `${state.tab === 'maps' ? 'Feature maps' : 'Heatmaps'} need an input picture.`,
        actions: [{ label: 'Choose Input…', run: () => this.host.run('layerLens.chooseInput') }],
      };
    return null;
  }

  private updateFacts(): void {
    const { shown } = this;
    if (!shown) return;
    if (shown.state.tab === 'heatmap') {
      this.view.update(shown, heatmapFacts(this.heatmap.statement()));
      this.view.bar.set('grey', null, '');
      this.view.readout.textContent = this.heatmap.readout();
      return;
    }
    const current = this.stage.content.hidden ? null : this.sources.current;
    this.view.update(shown, frameFacts(shown, current, this.stage));
    const { colorMap, range, note } = current?.scale(this.stage.channel) ?? {
      colorMap: 'grey',
      range: null,
      note: '',
    };
    this.view.bar.set(colorMap, range, note);
    this.view.readout.textContent = readoutText(current, this.stage);
  }

  private dataChanged(): void {
    this.view.line.hide();
    this.view.area.hide();
    this.hideContentUnderArea();
    this.stage.refresh();
    this.updateFacts();
    this.fillDetails();
    if (this.shown?.state.tab === 'maps') this.inputs.predict(this.shown);
  }

  private pictureChanged(problem: string | null): void {
    const { shown } = this;
    if (problem === null) this.view.pictureMessage.hide();
    else
      this.view.pictureMessage.show(
        problem,
        shown?.situation.mayRun && shown.state.tab === 'filters'
          ? [{ label: 'Choose Input…', run: () => this.host.run('layerLens.chooseInput') }]
          : [],
      );
    this.stage.refresh();
  }

  /** In place: over what stays where there is something, else where the grid would be. */
  private fail(error: unknown, lost: boolean): void {
    const wire = toWireError(error);
    const stopped = wire.code === 'cancelled';
    if (stopped && !lost) return;
    const action = errorAction(this.host, wire);
    const actions = action
      ? [action]
      : wire.code === 'noWeights'
        ? [{ label: 'Show Feature Maps', run: () => this.chooseTab('maps') }]
        : [{ label: stopped ? 'Continue' : 'Try Again', run: () => this.retry() }];
    (lost ? this.view.area : this.view.line).show(wire.message, actions);
    this.hideContentUnderArea();
    this.updateFacts();
    this.announce(wire.message);
  }

  private retry(): void {
    this.view.line.hide();
    this.sources.retry();
    this.apply();
  }

  private hideContentUnderArea(): void {
    const isCovered = !this.view.area.root.hidden;
    this.stage.content.hidden = isCovered || this.isHeatmap;
    this.heatmap.root.hidden = isCovered || !this.isHeatmap;
  }

  private step(direction: -1 | 1): void {
    const { shown } = this;
    if (!shown) return;
    const next = neighbourLayer(shown.situation.layers, shown.state.layer, direction);
    if (!next)
      return this.announce(direction > 0 ? 'This is the last layer' : 'This is the first layer');
    this.goToLayer(next.id);
    this.announce(next.label);
  }

  private goToLayer(layer: string): void {
    if (!this.state || this.state.layer === layer) return;
    this.steps = [...this.steps, layer];
    this.state = atLayer(this.state, layer);
    // The host answers with the layer; until then the page goes on showing this one.
    this.host.saveState(this.state);
  }

  private back(): void {
    if (this.isHeatmap) this.heatmap.back();
    else this.stage.back();
  }

  private chooseTab(tab: ViewerTab): void {
    if (!this.state || this.state.tab === tab) return;
    if (this.isHeatmap) this.heatmap.leave();
    this.patch({ tab, scrollTop: 0 });
    this.view.focusTab(tab);
    this.announce(TABS.find(({ id }) => id === tab)?.label ?? tab);
  }

  private save(what: ExportKind): void {
    const { shown } = this;
    if (!shown || this.isEmpty) return this.announce('There is nothing to export yet');
    const work = this.saving.run(signal => saveShown(this, shown, what, signal));
    this.busy
      .track(work, () => this.saving.cancel())
      .then(saved => this.announce(saved ? 'Exported' : 'Export cancelled'))
      .catch((error: unknown) => this.fail(error, false));
  }

  private toggleDetails(): void {
    this.details.toggle();
    this.view.setDetailsOpen(this.details.isOpen);
    this.fillDetails();
  }

  private fillDetails(): void {
    const { shown } = this;
    if (!this.details.isOpen || !shown) return;
    const own = this.isHeatmap ? this.heatmap.details() : (this.sources.current?.details() ?? []);
    this.details.fill([...layerSection(shown), ...own], this.fed);
    // Preprocessing and its sources are asked for when the details are open, and filled in when they are there.
    this.facts
      .preprocessing(shown)
      .then(fed => {
        if (JSON.stringify(fed) === JSON.stringify(this.fed)) return;
        this.fed = fed;
        this.fillDetails();
      })
      .catch((error: unknown) => this.fail(error, false));
  }

  private copyDetails(): void {
    const { shown } = this;
    if (!shown) return;
    recordShown(this, shown)
      .then(record => this.host.api.call('copyText', { text: JSON.stringify(record, null, 2) }))
      .then(() => this.announce('Copied'))
      .catch((error: unknown) => this.fail(error, false));
  }
}
