import type { Remedy, TargetSpec } from '../../../protocol/attribution';
import type { HeatmapState, ViewerState } from '../../../protocol/views';
import { errorAction, type Host } from '../lib/host';
import { addPane, heatmapOf, withMethod, withPane } from './heatmapModel';
import type { ToolActions } from './heatmapTools';
import type { Shown } from './types';

export interface ChangeOptions {
  readonly host: Host<ViewerState>;
  /** Null unless the tab is in front. */
  shown(): Shown | null;
  patch(patch: Partial<ViewerState>): void;
  goToLayer(layer: string): void;
}

/** What a person changes in the Heatmap tab: each choice is another state, and everything else follows from that. */
export class HeatmapChanges implements ToolActions {
  constructor(private readonly options: ChangeOptions) {}

  change(make: (heatmap: HeatmapState) => HeatmapState): void {
    const shown = this.options.shown();
    if (!shown) return;
    const before = heatmapOf(shown.state);
    const heatmap = make(before);
    if (heatmap !== before) this.options.patch({ heatmap });
  }

  choose(id: number): void {
    this.change(heatmap => (heatmap.active === id ? heatmap : { ...heatmap, active: id }));
  }

  setMethod: ToolActions['setMethod'] = method =>
    this.change(heatmap => withMethod(heatmap, heatmap.active, method));

  setLayers: ToolActions['setLayers'] = layers =>
    this.change(heatmap => withPane(heatmap, heatmap.active, { layers }));

  setOptions: ToolActions['setOptions'] = options =>
    this.change(heatmap => withPane(heatmap, heatmap.active, { options }));

  setTarget: ToolActions['setTarget'] = (target: TargetSpec) =>
    this.change(heatmap => ({ ...heatmap, target }));

  setLook: ToolActions['setLook'] = look => this.change(heatmap => ({ ...heatmap, ...look }));

  compare: ToolActions['compare'] = pane => this.change(heatmap => addPane(heatmap, pane));

  goToLayer: ToolActions['goToLayer'] = layer => this.options.goToLayer(layer);

  chooseFile: ToolActions['chooseFile'] = () =>
    this.options.host.api.call('chooseFile', {
      title: 'Choose the baseline',
      extensions: ['png', 'jpg', 'jpeg', 'bmp', 'gif', 'tif', 'tiff', 'webp', 'npy'],
    });

  /** The button of a finding under a pane. */
  apply(id: number, remedy: Remedy): void {
    if (remedy.kind === 'signed') this.setLook({ part: 'signed' });
    else if (remedy.kind === 'target') this.setTarget(remedy.target);
    else if (remedy.kind === 'method')
      this.change(heatmap => withMethod(heatmap, id, remedy.method));
    else if (remedy.kind === 'layer') this.useLayer(id, remedy.layer);
    else errorAction(this.options.host, { code: 'internal', action: remedy.action })?.run();
  }

  /** A pane that follows the viewer takes the viewer along. */
  private useLayer(id: number, layer: string): void {
    const shown = this.options.shown();
    const pane = shown && heatmapOf(shown.state).panes.find(each => each.id === id);
    if (pane?.layers.length === 0) this.options.goToLayer(layer);
    else this.change(heatmap => withPane(heatmap, id, { layers: [layer] }));
  }
}
