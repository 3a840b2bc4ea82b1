import type { PictureResult } from '../../../protocol/methods';
import type { HeatmapState } from '../../../protocol/views';
import { element } from '../lib/dom';
import { HeatmapPaneController, type PaneContext, type PaneOptions } from './heatmapPane';
import type { HeatmapProbe } from './heatmapProbe';

/** The panes on the page: made, ordered and removed as the state says, all over the same picture. */
export class HeatmapPanes {
  readonly root = element('div', { class: 'panes' });
  private readonly panes = new Map<number, HeatmapPaneController>();
  private picture: { readonly result: PictureResult; readonly label: string } | null = null;
  /** The pane that was scrolled to last. */
  private reached = -1;

  /** @param onPicture a pane has its picture */
  constructor(
    private readonly options: PaneOptions,
    private readonly probe: HeatmapProbe,
    private readonly onPicture: () => void,
  ) {}

  get(id: number): HeatmapPaneController | undefined {
    return this.panes.get(id);
  }

  get all(): readonly HeatmapPaneController[] {
    return [...this.panes.values()];
  }

  ordered({ panes }: HeatmapState): readonly HeatmapPaneController[] {
    return panes.flatMap(({ id }) => this.panes.get(id) ?? []);
  }

  /** Makes and removes panes, and has each ask for what it is to show. */
  sync(context: PaneContext): void {
    const { heatmap } = context;
    for (const [id, pane] of this.panes)
      if (!heatmap.panes.some(wanted => wanted.id === id)) {
        pane.dispose();
        this.panes.delete(id);
      }
    for (const wanted of heatmap.panes) {
      const pane = this.panes.get(wanted.id) ?? new HeatmapPaneController(wanted, this.options);
      if (!this.panes.has(wanted.id)) this.add(wanted.id, pane);
      pane.ask(wanted, context);
    }
    this.arrange(heatmap);
  }

  /** The input picture is another one; null where there is none. */
  async setPicture(result: PictureResult | null, label: string): Promise<void> {
    this.picture = result && { result, label };
    await Promise.all(this.all.map(pane => this.givePicture(pane)));
    this.onPicture();
  }

  dispose(): void {
    for (const pane of this.panes.values()) pane.dispose();
  }

  private add(id: number, pane: HeatmapPaneController): void {
    this.panes.set(id, pane);
    const { picture } = pane.view;
    picture.onHover(point => this.probe.hover(point));
    picture.onPick(() => this.probe.choose(this.probe.point));
    void this.givePicture(pane).then(this.onPicture);
  }

  /** In the order of the state; a pane that became the active one is scrolled to. */
  private arrange(heatmap: HeatmapState): void {
    const roots = this.ordered(heatmap).map(({ view }) => view.root);
    const { children } = this.root;
    this.root.dataset['count'] = String(roots.length);
    if (children.length !== roots.length || roots.some((root, i) => root !== children[i]))
      this.root.replaceChildren(...roots);
    if (heatmap.active === this.reached) return;
    this.reached = heatmap.active;
    this.panes.get(heatmap.active)?.view.reveal();
  }

  private async givePicture({ view }: HeatmapPaneController): Promise<void> {
    if (!this.picture) return view.picture.clear();
    const { result, label } = this.picture;
    view.setAspect(result.width / result.height);
    await view.picture.setPicture(result, label);
  }
}
