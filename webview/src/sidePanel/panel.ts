import { CancelledError, fromWireError, toWireError } from '../../../protocol/errors';
import type { ActivationHeatmapResult } from '../../../protocol/methods';
import type { SidePanelSituation, SidePanelState } from '../../../protocol/views';
import { createAnnouncer } from '../lib/announce';
import { createBusy } from '../lib/busy';
import { pageRoot } from '../lib/dom';
import { formatMs } from '../lib/format';
import { rangeFor, resolveColorMap } from '../lib/heat';
import { connectHost, errorAction } from '../lib/host';
import { Latest } from '../lib/latest';
import { InputPicture } from '../lib/picture';
import { heatKey, obstacleOf, panelWords, pictureKey } from './model';
import { SidePanelView } from './view';

/** Longer side of the picture that is asked for, in pixels. */
const PICTURE_PIXELS = 512;

/** A heatmap with the situation that it was asked in. */
interface Heat {
  readonly result: ActivationHeatmapResult;
  readonly layer: string;
  readonly revision: number;
}

/** The panel that follows the cursor: the picture stays, only the heat over it is painted anew. */
export class SidePanel {
  private situation: SidePanelSituation | null = null;
  private state: SidePanelState | null = null;
  private heat: Heat | null = null;
  private askedHeat: string | null = null;
  private askedPicture: string | null = null;
  private readonly heatTask = new Latest();
  private readonly pictureTask = new Latest();
  private readonly announce = createAnnouncer(pageRoot());
  private readonly busy = createBusy(busy => this.view.setBusy(busy));
  private readonly picture = new InputPicture(() => undefined);
  private readonly host = connectHost<SidePanelSituation, SidePanelState>(situation =>
    this.take(situation),
  );
  private readonly view: SidePanelView = new SidePanelView(
    {
      setOpacity: opacity => this.patch({ opacity }),
      setColorMap: colorMap => this.patch({ colorMap }),
      setPinned: pinned => this.patch({ pinned }),
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
    this.view.update(panelWords({ ...situation, state }), situation.layer !== null);
    this.picture.setOpacity(state.opacity);
    this.showObstacle(situation);
    this.syncPicture(situation);
    this.syncHeat(situation);
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
    const { model, layer, input, revision } = situation;
    if (key === null || model === null || !layer) return this.heatTask.cancel();
    const work = this.heatTask.run(signal =>
      this.host.api.call(
        'activationHeatmap',
        { model, layer: layer.id, input },
        { signal, priority: 'interactive' },
      ),
    );
    this.busy
      .track(work, () => this.heatTask.cancel())
      .then(result => {
        this.heat = { result, layer: layer.id, revision };
        this.view.line.hide();
        this.paint();
      })
      .catch((error: unknown) => this.fail(error));
  }

  /** The heat over the picture, its bar and its words. */
  private paint(): void {
    const { heat, state } = this;
    if (!state) return;
    if (!heat) {
      this.picture.setOverlay(null);
      this.view.bar.set('grey', null, '');
      this.view.setNote('');
      return;
    }
    const { rows, columns, values, minimum, maximum, times, notes } = heat.result;
    const measured = { low: minimum, high: maximum };
    const colorMap = resolveColorMap(state.colorMap, measured);
    const range = rangeFor(colorMap, measured);
    this.picture.setOverlay({ rows, columns, values, range, colorMap });
    this.view.bar.set(colorMap, range, 'mean |activation|');
    this.view.setNote(
      ['mean |activation|', `${rows}×${columns}, bilinear`, formatMs(times.totalMs), ...notes].join(
        ' · ',
      ),
    );
    if (this.askedPicture === null || !this.picture.isEmpty)
      document.body.dataset['painted'] = `${heat.layer}@${heat.revision}`;
  }

  private forgetHeat(): void {
    this.heat = null;
    this.askedHeat = null;
    this.heatTask.cancel();
  }

  private openViewer(): void {
    const { model, layer } = this.situation ?? {};
    if (model && layer) this.host.run('layerLens.visualizeLayer', model, layer.id);
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
