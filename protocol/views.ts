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

export type ViewerTab = 'filters' | 'maps';

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
}

export interface ViewerSituation {
  readonly state: ViewerState;
  /** Null where the model cannot be read: then `error` says why, and the last picture stays. */
  readonly layer: LayerInfo | null;
  /** Layers of the model in order, for previous and next: id and what to call it. */
  readonly layers: readonly { readonly id: string; readonly label: string }[];
  readonly modelLabel: string;
  readonly inputLabel: string | null;
  readonly mayRun: boolean;
  /** Counts up when the model file changed: everything is to be asked again. */
  readonly revision: number;
  readonly error: WireError | null;
  readonly labels: readonly string[] | null;
}

// ---------------------------------------------------------------- side panel

export interface SidePanelState {
  readonly opacity: number;
  readonly colorMap: string;
  readonly pinned: boolean;
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
