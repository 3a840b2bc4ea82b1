import type { AttributionMethod, AttributionOptions, TargetSpec } from './attribution';
import type { WireError } from './errors';
import type { MethodApi } from './methods';
import type { LayerInfo, ModelDescription } from './model';
import type { ReplyMessage, RequestMessage } from './rpc';
import type { ViewMethod, ViewParams } from './server';

/** Messages between the extension and its pages. All input of a page comes through these; every page posts `ready` first. */

/** What a page can ask: any method, and files to be written where a person says. */
export type PageMethodApi = {
  [M in ViewMethod]: { params: ViewParams<M>; result: MethodApi[M]['result'] };
};
export interface PageActionApi {
  /** Asks where and writes; false where the person changed their mind. */
  saveFile: {
    params: {
      readonly suggestedName: string;
      readonly kind: 'png' | 'npy' | 'json';
      readonly bytes: Uint8Array;
    };
    result: boolean;
  };
  /** Asks for a file of the disk; null where the person changed their mind. */
  chooseFile: {
    params: { readonly title: string; readonly extensions: readonly string[] };
    result: string | null;
  };
  copyText: { params: { readonly text: string }; result: null };
  /** Runs a command of the extension, from a list that the host checks. */
  runCommand: {
    params: { readonly command: PageCommand; readonly arguments: readonly string[] };
    result: null;
  };
  describeModel: { params: { readonly model: string }; result: ModelDescription };
}
/** Commands of the extension that a page may run: its own buttons, and those of errors. */
export const PAGE_COMMANDS = [
  'layerLens.chooseInput',
  'layerLens.chooseModel',
  'layerLens.openSample',
  'layerLens.howToExport',
  'layerLens.visualizeLayer',
  'layerLens.explainPrediction',
  'layerLens.pinLayer',
  'layerLens.unpinLayer',
  'layerLens.loadModel',
  'layerLens.restartEngine',
  'layerLens.showLog',
  'layerLens.manageTrust',
  'layerLens.editPreprocessing',
] as const;
export type PageCommand = (typeof PAGE_COMMANDS)[number];

export const isPageCommand = (command: string): command is PageCommand =>
  PAGE_COMMANDS.some(known => known === command);

export type PageApi = PageMethodApi & PageActionApi;

/** From any page to its host. */
export type FromPage<State> =
  { readonly kind: 'ready' } | { readonly kind: 'state'; readonly state: State } | RequestMessage;

/** From the host to a page: the whole situation whenever it changes, and replies. */
export type ToPage<Situation> =
  { readonly kind: 'situation'; readonly situation: Situation } | ReplyMessage;

// ---------------------------------------------------------------- viewer

export type ViewerTab = 'filters' | 'maps' | 'heatmap';

/** One map of the Heatmap tab. */
export interface HeatmapPane {
  /** Tells the panes of a comparison apart. */
  readonly id: number;
  readonly method: AttributionMethod;
  /** Ids of the layers whose maps are fused; none: the layer of the viewer. */
  readonly layers: readonly string[];
  readonly options: AttributionOptions;
}

/** Which part of a map's values is shown: `strength` is what a method is usually looked at as. */
export type ShownPart = 'strength' | 'positive' | 'signed';

export interface HeatmapState {
  /** What target and layers belong to: they mean nothing for another model, some of them nothing for another input. */
  readonly model: string;
  readonly input: string | null;
  /** One to four, side by side. */
  readonly panes: readonly HeatmapPane[];
  /** Id of the pane that the menus speak of. */
  readonly active: number;
  readonly target: TargetSpec;
  readonly part: ShownPart;
  /** Bilinear between the cells of a map; false shows the cells. */
  readonly smooth: boolean;
  /** Outlines of the cells of a map. */
  readonly grid: boolean;
}

/** What is shown, kept across a reload. */
export interface ViewerState {
  readonly model: string;
  readonly layer: string;
  readonly input: string | null;
  readonly tab: ViewerTab;
  readonly colorMap: string;
  readonly scale: 'own' | 'shared';
  readonly sort: 'index' | 'mean' | 'maximum' | 'variance';
  readonly opacity: number;
  readonly channel: number | null;
  /** The channel fills the place of the grid; left out means the grid is shown. */
  readonly enlarged?: boolean;
  readonly filterView: string | null;
  readonly slice: number;
  readonly scrollTop: number;
  /** Left out until something of it was chosen. */
  readonly heatmap?: HeatmapState;
}

export interface ViewerSituation {
  readonly state: ViewerState;
  /** Null where the model cannot be read: then `error` says why, and the last picture stays. */
  readonly layer: LayerInfo | null;
  /** Layers of the model in order: id and what to call it. Previous and next pass over what only moves numbers about (`isMinor`). */
  readonly layers: readonly {
    readonly id: string;
    readonly label: string;
    /** `Relu · out 64×55×55`: tells layers with the same label apart. */
    readonly facts: string;
    readonly isMinor: boolean;
  }[];
  readonly modelLabel: string;
  readonly inputLabel: string | null;
  readonly mayRun: boolean;
  /** Counts up when the model file changed: everything is to be asked again. */
  readonly revision: number;
  readonly error: WireError | null;
  readonly labels: readonly string[] | null;
}

// ---------------------------------------------------------------- side panel

/** How strongly each place answers, or what an attribution method says of it. */
export type PanelMethod = 'activation' | AttributionMethod;

export interface SidePanelState {
  readonly opacity: number;
  readonly colorMap: string;
  readonly pinned: boolean;
  readonly method: PanelMethod;
  /** What was chosen to be explained, of which model and on which input; null: the highest class. */
  readonly target: {
    readonly model: string;
    readonly input: string | null;
    readonly spec: TargetSpec;
  } | null;
}

export interface SidePanelSituation {
  readonly state: SidePanelState;
  readonly model: string | null;
  readonly modelLabel: string | null;
  readonly layer: LayerInfo | null;
  readonly layerLabel: string | null;
  readonly input: string | null;
  readonly inputLabel: string | null;
  readonly mayRun: boolean;
  /** The model is larger than what runs by itself: a "Load model" link runs it. */
  readonly needsLoad: boolean;
  readonly revision: number;
  readonly error: WireError | null;
  /** Names of the model's classes. */
  readonly labels: readonly string[] | null;
}

// ---------------------------------------------------------------- .onnx editor

export interface ModelEditorState {
  readonly search: string;
  readonly scrollTop: number;
}

export interface ModelEditorSituation {
  readonly state: ModelEditorState;
  readonly path: string;
  readonly label: string;
  readonly description: ModelDescription | null;
  readonly mayRun: boolean;
  readonly revision: number;
  readonly error: WireError | null;
}
