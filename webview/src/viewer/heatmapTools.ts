import type {
  AttributionOptions,
  AttributionMethod,
  TargetSpec,
} from '../../../protocol/attribution';
import {
  ATTRIBUTION_FACTS,
  ATTRIBUTION_METHODS,
  isAttributionMethod,
} from '../../../protocol/attributionFacts';
import type { HeatmapPane, HeatmapState, ShownPart } from '../../../protocol/views';
import { button, checkbox, select, type Button } from '../lib/controls';
import { element } from '../lib/dom';
import { createPicker, type Picker } from '../lib/picker';
import type { PickerItem } from '../lib/pickerModel';
import { OptionsForm } from './heatmapForm';
import {
  activePane,
  comparisons,
  FOLLOWS_VIEWER,
  MOST_PANES,
  toggledLayers,
  usesLayer,
} from './heatmapModel';
import { optionFields } from './heatmapOptions';
import { TargetTools, type TargetToolsState } from './heatmapTargets';

export interface ToolActions {
  setMethod(method: AttributionMethod): void;
  setLayers(layers: readonly string[]): void;
  setTarget(target: TargetSpec): void;
  setOptions(options: AttributionOptions): void;
  setLook(look: Partial<Pick<HeatmapState, 'part' | 'smooth' | 'grid'>>): void;
  compare(pane: Pick<HeatmapPane, 'method' | 'layers'>): void;
  goToLayer(layer: string): void;
  chooseFile(): Promise<string | null>;
}

/** A layer of a menu. */
export interface LayerLine {
  readonly id: string;
  readonly label: string;
  readonly facts: string;
}

/** What the tools show. */
export interface ToolState extends Omit<TargetToolsState, 'target'> {
  readonly heatmap: HeatmapState;
  /** Id of the viewer's layer, and what it is called. */
  readonly viewerLayer: { readonly id: string; readonly label: string };
  /** Layers that a map can be made of. */
  readonly layers: readonly LayerLine[];
  readonly suggested: {
    readonly id: string;
    readonly label: string;
    readonly reason: string;
  } | null;
  /** Options that the active pane's result used. */
  readonly used: Readonly<Record<string, string | number>>;
}

const PARTS: readonly { readonly value: ShownPart; readonly label: string }[] = [
  { value: 'strength', label: 'strength' },
  { value: 'positive', label: 'positive part' },
  { value: 'signed', label: 'signed' },
];

/** Menus over the maps: what is asked, and how it is looked at. They speak of the active pane. */
export class HeatmapTools {
  readonly root: HTMLElement;
  private readonly method: Picker;
  private readonly layer: Picker;
  private readonly targets: TargetTools;
  private readonly suggestion: Button;
  private readonly compare: Picker;
  private readonly part;
  private readonly smooth;
  private readonly cells;
  private readonly optionsButton: Button;
  private readonly form: OptionsForm;
  private state: ToolState | null = null;

  constructor(private readonly actions: ToolActions) {
    this.method = createPicker({
      label: 'Method',
      search: 'Search methods…',
      onChoose: value => isAttributionMethod(value) && actions.setMethod(value),
    });
    this.layer = createPicker({
      label: 'Layer',
      search: 'Search layers; several are fused…',
      multiple: true,
      onChoose: value => this.toggleLayer(value),
    });
    this.targets = new TargetTools(target => actions.setTarget(target));
    this.suggestion = button({
      label: '',
      icon: 'lightbulb',
      onClick: () => this.state?.suggested && actions.goToLayer(this.state.suggested.id),
    });
    this.compare = createPicker({
      label: 'Compare',
      search: 'Another method or layer beside it…',
      onChoose: value => this.addComparison(value),
    });
    this.part = select('Show', value => {
      const part = PARTS.find(each => each.value === value)?.value;
      if (part) actions.setLook({ part });
    });
    this.smooth = checkbox('Smooth', smooth => actions.setLook({ smooth }));
    this.smooth.title = 'Bilinear between the cells of a map; off shows the cells (nearest)';
    this.cells = checkbox('Cells', grid => actions.setLook({ grid }));
    this.cells.title = 'Outlines of the map’s own grid';
    this.form = new OptionsForm(
      options => actions.setOptions(options),
      () => actions.chooseFile(),
    );
    this.optionsButton = button({
      label: 'Options',
      icon: 'settings',
      onClick: () => this.toggleForm(),
    });
    this.optionsButton.setAttribute('aria-expanded', 'false');
    this.form.root.hidden = true;
    this.root = element(
      'div',
      { class: 'heatmap-tools' },
      element(
        'div',
        { class: 'tools' },
        this.method.root,
        this.layer.root,
        this.targets.root,
        this.suggestion,
      ),
      element(
        'div',
        { class: 'tools' },
        this.compare.root,
        this.part.root,
        this.smooth,
        this.cells,
        this.optionsButton,
        this.form.root,
      ),
    );
  }

  update(state: ToolState): void {
    this.state = state;
    const { heatmap, viewerLayer, suggested, used, layers } = state;
    const pane = activePane(heatmap);
    const facts = ATTRIBUTION_FACTS[pane.method];
    this.method.set(facts.label, methodItems, [pane.method]);
    this.method.setTitle(`${facts.shows} ${facts.limit}`);
    this.layer.root.hidden = !usesLayer(pane.method);
    this.layer.set(this.layerText(pane), () => this.layerItems(), chosenLayers(pane));
    const mayFollow = suggested !== null && suggested.id !== (pane.layers[0] ?? viewerLayer.id);
    this.suggestion.hidden = !usesLayer(pane.method) || !mayFollow || pane.layers.length > 1;
    if (suggested) {
      const text = this.suggestion.querySelector('.button-text');
      if (text) text.textContent = `Suggested: ${suggested.label}`;
      this.suggestion.title = suggested.reason;
    }
    this.targets.update({ ...state, target: heatmap.target });
    this.compare.root.hidden = heatmap.panes.length >= MOST_PANES;
    this.compare.set('Add…', () => comparisonItems(heatmap, layers), []);
    this.part.set(PARTS, heatmap.part);
    this.smooth.checked = heatmap.smooth;
    this.cells.checked = heatmap.grid;
    this.optionsButton.hidden = optionFields(pane.method).length === 0;
    if (this.optionsButton.hidden) this.form.root.hidden = true;
    this.form.update(pane, used);
  }

  private toggleForm(): void {
    this.form.root.hidden = !this.form.root.hidden;
    this.optionsButton.setAttribute('aria-expanded', String(!this.form.root.hidden));
  }

  private layerText({ layers }: HeatmapPane): string {
    const [first] = layers;
    if (first === undefined) return this.state?.viewerLayer.label ?? '';
    return layers.length > 1 ? `${layers.length} layers, fused` : this.labelOf(first);
  }

  private labelOf(id: string): string {
    return this.state?.layers.find(layer => layer.id === id)?.label ?? id;
  }

  private layerItems(): readonly PickerItem[] {
    const { layers = [], viewerLayer, suggested } = this.state ?? {};
    const line = ({ id, label, facts }: LayerLine, group: string): PickerItem => ({
      value: id,
      label,
      detail: facts,
      group,
    });
    const proposed = layers.find(({ id }) => id === suggested?.id);
    return [
      { value: FOLLOWS_VIEWER, label: 'Layer of the viewer', detail: viewerLayer?.label ?? '' },
      ...(proposed && suggested
        ? [{ ...line(proposed, 'Suggested'), description: suggested.reason }]
        : []),
      ...layers.map(layer => line(layer, 'Layers with a grid')),
    ];
  }

  private toggleLayer(value: string): void {
    const { state } = this;
    if (!state) return;
    const { layers } = activePane(state.heatmap);
    this.actions.setLayers(toggledLayers(layers, value, state.layers));
  }

  private addComparison(value: string): void {
    const { state } = this;
    if (!state) return;
    const chosen = comparisons(state.heatmap, state.layers)[Number(value)];
    if (chosen) this.actions.compare({ method: chosen.method, layers: chosen.layers });
  }
}

const chosenLayers = ({ layers }: HeatmapPane): readonly string[] =>
  layers.length === 0 ? [FOLLOWS_VIEWER] : layers;

const methodItems = (): readonly PickerItem[] =>
  ATTRIBUTION_METHODS.map(method => {
    const { label, family, shows, limit, of } = ATTRIBUTION_FACTS[method];
    const group = of === 'layer' ? 'Maps of a layer' : 'Maps of the pixels';
    return { value: method, label, detail: family, description: `${shows} ${limit}`, group };
  });

function comparisonItems(
  heatmap: HeatmapState,
  layers: readonly LayerLine[],
): readonly PickerItem[] {
  const { method } = activePane(heatmap);
  return comparisons(heatmap, layers).map((choice, index) => {
    const facts = ATTRIBUTION_FACTS[choice.method];
    return choice.method === method
      ? {
          value: String(index),
          label: choice.label,
          detail: layers.find(({ id }) => id === choice.layers[0])?.facts ?? '',
          group: `${facts.label} of another layer`,
        }
      : {
          value: String(index),
          label: choice.label,
          detail: facts.family,
          description: facts.shows,
          group: 'Another method',
        };
  });
}
