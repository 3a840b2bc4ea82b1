import type { Finding, Remedy, TargetSpec } from '../../../protocol/attribution';
import { CancelledError, fromWireError, toWireError } from '../../../protocol/errors';
import type { SidePanelSituation, SidePanelState } from '../../../protocol/views';
import { createAnnouncer } from '../lib/announce';
import { createBusy } from '../lib/busy';
import { pageRoot } from '../lib/dom';
import { connectHost, errorAction } from '../lib/host';
import { Latest } from '../lib/latest';
import type { MessageAction } from '../lib/message';
import { InputPicture } from '../lib/picture';
import { targetItems, targetOfValue } from '../lib/targetWords';
import { HeatLoader } from './heatLoader';
import { heatMap, heatNote, isPanelMethod, panelMenus, type Heat } from './heatModel';
import { heatKey, obstacleOf, panelWords, pictureKey } from './model';
import { SidePanelView, type PanelFinding } from './view';

/** Longer side of the picture that is asked for, in pixels. */
const PICTURE_PIXELS = 512;

/** A heatmap with the situation that it was asked in. */
interface ShownHeat {
  readonly heat: Heat;
  readonly layer: string;
  readonly revision: number;
}

/** The panel that follows the cursor: the picture stays, only the heat over it is painted anew. */
export class SidePanel {
  private situation: SidePanelSituation | null = null;
  private state: SidePanelState | null = null;
  private shown: ShownHeat | null = null;
  private askedHeat: string | null = null;
  /** The heatmap that a person wants to see with its negative values. */
  private signed: string | null = null;
  private askedPicture: string | null = null;
  private readonly heatTask = new Latest();
  private readonly pictureTask = new Latest();
  private readonly announce = createAnnouncer(pageRoot());
  private readonly busy = createBusy(busy => this.view.setBusy(busy));
  private readonly picture = new InputPicture();
  private readonly host = connectHost<SidePanelSituation, SidePanelState>(situation =>
    this.take(situation),
  );
  private readonly loader = new HeatLoader(this.host.api, () => this.paint());
  private readonly view: SidePanelView = new SidePanelView(
    {
      setOpacity: opacity => this.patch({ opacity }),
      setColorMap: colorMap => this.patch({ colorMap }),
      setPinned: pinned => this.patch({ pinned }),
      setMethod: value => isPanelMethod(value) && this.patch({ method: value }),
      setTarget: value => this.setTarget(value),
      chooseInput: () => this.host.run('layerLens.chooseInput'),
      chooseModel: () => this.host.run('layerLens.chooseModel'),
      openViewer: () => this.openViewer(),
    },
    this.picture.root,
    this.busy.root,
  );

  start(): void {
    pageRoot().append(this.view.root);
  }

  private take(situation: SidePanelSituation): void {
    const before = this.situation?.layer?.id;
    this.situation = situation;
    // Whether it is pinned is the host's to say; the look is the page's once it is open.
    this.state = { ...(this.state ?? situation.state), pinned: situation.state.pinned };
    this.update();
    if (situation.layer && situation.layer.id !== before)
      this.announce(situation.layerLabel ?? situation.layer.id);
  }

  private patch(patch: Partial<SidePanelState>): void {
    if (!this.state) return;
    this.state = { ...this.state, ...patch };
    this.host.saveState(this.state);
    this.update();
  }

  private update(): void {
    const { situation, state } = this;
    if (!situation || !state) return;
    const own = { ...situation, state };
    this.view.update(panelWords(own), situation.layer !== null);
    this.picture.setOpacity(state.opacity);
    this.showObstacle(situation);
    // The heat first: it is what is waited for when the cursor moves.
    this.syncHeat(own);
    this.syncPicture(situation);
    this.paint();
  }

  private showObstacle(situation: SidePanelSituation): void {
    const obstacle = obstacleOf(situation);
    if (obstacle) {
      this.view.area.show(
        obstacle.text,
        obstacle.commands.map(({ label, command, arguments: args }) => ({
          label,
          run: () => this.host.run(command, ...args),
        })),
      );
      this.forgetHeat();
    } else this.view.area.hide();
    this.picture.root.classList.toggle('is-behind', obstacle !== null);
    if (situation.error) this.fail(fromWireError(situation.error));
    else this.view.line.hide();
  }

  private syncPicture(situation: SidePanelSituation): void {
    const key = pictureKey(situation);
    if (key === this.askedPicture) return;
    this.askedPicture = key;
    const { model, input, inputLabel } = situation;
    if (key === null || model === null || input === null) {
      this.pictureTask.cancel();
      if (!situation.error) this.picture.clear();
      return;
    }
    this.pictureTask
      .run(signal =>
        this.host.api.call(
          'picture',
          { model, path: input, input, pixels: PICTURE_PIXELS },
          { signal, priority: 'interactive' },
        ),
      )
      .then(result => this.picture.setPicture(result, `Input ${inputLabel ?? ''} with heatmap`))
      .then(() => this.paint())
      .catch((error: unknown) => this.fail(error));
  }

  private syncHeat(situation: SidePanelSituation): void {
    const key = heatKey(situation);
    if (key === this.askedHeat) return;
    this.askedHeat = key;
    const { layer, revision } = situation;
    if (key === null || !layer) return this.heatTask.cancel();
    const work = this.heatTask.run(signal => this.loader.load(situation, layer.id, signal));
    this.busy
      .track(work, () => this.heatTask.cancel())
      .then(heat => {
        this.shown = { heat, layer: layer.id, revision };
        this.view.line.hide();
        this.paint();
        this.loader.lookAhead(situation);
      })
      .catch((error: unknown) => this.fail(error));
  }

  /** The heat over the picture, its bar and its words. */
  private paint(): void {
    const { shown, state, situation } = this;
    if (!state || !situation) return;
    this.view.setMenus(panelMenus(situation, state, this.loader.known(situation)));
    if (!shown) {
      this.picture.setOverlay(null);
      this.view.bar.set('grey', null, '');
      this.view.setNote('');
      this.view.setFindings([]);
      return;
    }
    const { heat } = shown;
    const part = this.signed !== null && this.signed === this.askedHeat ? 'signed' : 'strength';
    const map = heatMap(heat, part, state.colorMap);
    this.picture.setOverlay(map);
    this.view.bar.set(map.colorMap, map.range, map.note);
    this.view.setNote(heatNote(heat, situation.labels));
    this.view.setFindings(this.findings(heat));
    if (this.askedPicture === null || !this.picture.isEmpty)
      document.body.dataset['painted'] = paintedText(shown);
  }

  private findings(heat: Heat): readonly PanelFinding[] {
    if (heat.kind === 'activation')
      return heat.instead === null
        ? []
        : [{ severity: 'information', text: heat.instead, action: null }];
    return heat.result.findings.map(({ severity, message, remedy }: Finding) => ({
      severity,
      text: message,
      action: remedy ? this.action(remedy) : null,
    }));
  }

  /** What a finding's button does here; the methods of pixels are looked at in the viewer. */
  private action(remedy: Remedy): MessageAction {
    const run = (): void => {
      const { model } = this.situation ?? {};
      if (remedy.kind === 'signed') {
        this.signed = this.askedHeat;
        this.paint();
      } else if (remedy.kind === 'target') this.explain(remedy.target);
      else if (remedy.kind === 'method' && isPanelMethod(remedy.method))
        this.patch({ method: remedy.method });
      else if (remedy.kind === 'layer' && model)
        this.host.run('layerLens.pinLayer', model, remedy.layer, 'follow');
      else if (remedy.kind === 'command')
        errorAction(this.host, { code: 'internal', action: remedy.action })?.run();
      else this.openViewer();
    };
    return { label: remedy.title, run };
  }

  private setTarget(value: string): void {
    const { situation } = this;
    if (!situation) return;
    const spec = targetOfValue(targetItems(this.loader.known(situation)), value);
    if (spec) this.explain(spec);
  }

  private explain(spec: TargetSpec): void {
    const { model, input } = this.situation ?? {};
    if (model) this.patch({ target: { model, input: input ?? null, spec } });
  }

  private forgetHeat(): void {
    this.shown = null;
    this.askedHeat = null;
    this.heatTask.cancel();
  }

  private openViewer(): void {
    const { model, layer } = this.situation ?? {};
    if (model && layer) this.host.run('layerLens.visualizeLayer', model, layer.id, 'heatmap');
  }

  /** One sentence above the picture, which stays. */
  private fail(error: unknown): void {
    if (error instanceof CancelledError) return;
    const wire = toWireError(error);
    const action = errorAction(this.host, wire);
    this.view.line.show(wire.message, action ? [action] : []);
    this.announce(wire.message);
  }
}

/** For tests: which layer is painted, and how. */
function paintedText({ heat, layer, revision }: ShownHeat): string {
  const how =
    heat.kind === 'activation'
      ? 'activation'
      : `${heat.result.method} ${heat.result.target.classIndex ?? ''}`;
  return `${layer}@${revision} ${how}`;
}
