import type { FractionBox, TargetSpec } from '../../../protocol/attribution';
import { DisposableStore, type Disposable } from '../../../protocol/lifecycle';
import type { Point } from '../lib/geometry';
import type { InputPicture } from '../lib/picture';
import type { KnownTargets } from '../lib/targetWords';
import type { HeatmapProbe } from './heatmapProbe';
import { boxAt, outlinesOf } from './heatmapTargetModel';

export interface InputTargetOptions {
  readonly picture: InputPicture;
  readonly probe: HeatmapProbe;
  /** Null unless the tab is in front. */
  current(): { readonly target: TargetSpec; readonly known: KnownTargets } | null;
  setTarget(target: TargetSpec): void;
}

/** The input picture of the frame as a place to choose targets on: boxes are clicked, regions dragged, any other place is probed. */
export class InputTargets implements Disposable {
  private readonly store = new DisposableStore();
  /** A region that is being dragged. */
  private draft: FractionBox | null = null;

  constructor(private readonly options: InputTargetOptions) {
    const { picture, probe } = options;
    this.store.add(picture.onHover(point => options.current() && probe.hover(point)));
    this.store.add(picture.onPick(at => this.picked(at)));
    this.store.add(picture.onRegion(({ box, done }) => this.dragged(box, done)));
  }

  /** Draws what can be chosen, and where the probe is. */
  update(): void {
    const { picture, probe, current } = this.options;
    const now = current();
    picture.setOutlines(now ? outlinesOf(now.target, now.known, this.draft) : []);
    picture.setRegions(now?.target.kind === 'mask');
    picture.setMarks(now && probe.point ? { point: probe.point, field: null } : null);
  }

  dispose(): void {
    this.store.dispose();
  }

  private picked(at: Point): void {
    const now = this.options.current();
    if (!now) return;
    const found = boxAt(now.known.targets?.detections ?? [], at);
    if (found === null) this.options.probe.choose(this.options.probe.point);
    else this.options.setTarget({ kind: 'box', index: found });
  }

  private dragged(box: FractionBox, done: boolean): void {
    const target = this.options.current()?.target;
    if (target?.kind !== 'mask') return;
    this.draft = done ? null : box;
    if (done) this.options.setTarget({ ...target, region: box });
    else this.update();
  }
}
