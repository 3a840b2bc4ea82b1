import type { ErrorAction, WireError } from './errors';
import type { MethodApi } from './methods';
import type { LayerInfo, ModelDescription } from './model';
import type { PreprocessingOverrides } from './preprocessing';
import type { Priority, Progress } from './rpc';

/**
 * Custom requests between the extension and the language server. Documented in docs/lsp-extensions.md; a test keeps the two in step.
 * Models are named by their absolute file path, documents by their URI, positions count from 0 in UTF-16 units.
 */

/** An .onnx file of the workspace. */
export interface ModelEntry {
  readonly path: string;
  /** Relative to its workspace folder, with `/`. */
  readonly label: string;
  readonly bytes: number;
  readonly modifiedMs: number;
}

/** A picture of the workspace that could be an input. */
export interface PictureEntry {
  readonly path: string;
  readonly label: string;
}

/** What everything shows until told otherwise: the active model and its input picture. */
export interface ActiveState {
  readonly model: string | null;
  /** Why this model: `chosen`, `named in predict.py`, `newest in the workspace`. */
  readonly modelReason: string;
  readonly picture: string | null;
  readonly pictureReason: string;
  /** False while the workspace is not trusted: structure and filters only. */
  readonly mayRun: boolean;
}

/** Where a name in code leads. */
export interface LayerTarget {
  readonly model: string;
  /** The layer, or the one that gives the output of the module that is named. */
  readonly layer: LayerInfo;
  /** Where `layer` has no weights and a module is named: the module's layer with the most. */
  readonly weightLayer: LayerInfo | null;
  /** The text that was matched, and how: `attribute self.layer1`, `string`, `node name`. */
  readonly name: string;
  readonly from: string;
  /** Range of the name in the document. */
  readonly range: { readonly start: TextPosition; readonly end: TextPosition };
}
export interface TextPosition {
  readonly line: number;
  readonly character: number;
}

/** Methods that the extension may ask for. The server adds the feeds: which tensors an input picture becomes. */
export type ViewMethod = Exclude<
  keyof MethodApi,
  'preprocess' | 'tensors' | 'hoverPictures' | 'attentionValues'
>;

/** A method's parameters without the feeds; `input` is the absolute path of a picture or .npy, or null for none. */
export type ViewParams<M extends ViewMethod> = Omit<
  MethodApi[M]['params'],
  'feeds' | 'preprocessing' | 'tokenizer'
> & {
  readonly input: string | null;
};

export type ComputeParams<M extends ViewMethod = ViewMethod> = {
  [K in M]: {
    readonly method: K;
    readonly params: ViewParams<K>;
    readonly priority: Priority;
    /** A number of the asker's own: then `layerLens/computeProgress` tells under it how far the method is. */
    readonly progress?: number;
  };
}[M];

/** How far a method is; `partial` is its result so far, packed like the result. */
export interface ComputeProgress extends Progress {
  readonly progress: number;
}

export interface ServerApi {
  'layerLens/listModels': { params: null; result: readonly ModelEntry[] };
  'layerLens/listPictures': { params: null; result: readonly PictureEntry[] };
  'layerLens/describeModel': { params: { readonly model: string }; result: ModelDescription };
  /** The layer that the text at a position names; null where it names none. */
  'layerLens/layerAt': {
    params: { readonly uri: string; readonly position: TextPosition };
    result: LayerTarget | null;
  };
  /** Any name a person would use, in a model (null: the active one). */
  'layerLens/findLayer': {
    params: { readonly model: string | null; readonly name: string };
    result: { readonly model: string; readonly layer: LayerInfo };
  };
  'layerLens/getActive': { params: null; result: ActiveState };
  'layerLens/setActive': {
    /** A field that is left out stays; null goes back to what is found by itself. */
    params: { readonly model?: string | null; readonly picture?: string | null };
    result: ActiveState;
  };
  /** Keeps what a person chose about the preprocessing of a model. */
  'layerLens/setPreprocessing': {
    params: { readonly model: string; readonly overrides: PreprocessingOverrides };
    result: null;
  };
  /** Runs a method in the engine. The result is the method's, with typed arrays packed (protocol/binary.ts). */
  'layerLens/compute': { params: ComputeParams; result: unknown };
  'layerLens/restartEngine': { params: null; result: null };
}

/** Sent to the extension without being asked. */
export interface ServerNotifications {
  /** The active model or picture is another one, or may run now. */
  'layerLens/activeChanged': ActiveState;
  /** A model file or its external data changed on disk and is whole again; null description where it is gone or broken. */
  'layerLens/modelChanged': { readonly model: string; readonly error: WireError | null };
  /** How far a `layerLens/compute` is that was asked with a number for it. */
  'layerLens/computeProgress': ComputeProgress;
  /** Something a person should be told once. */
  'layerLens/notice': {
    readonly severity: 'information' | 'warning' | 'error';
    readonly message: string;
    readonly action?: ErrorAction;
  };
}

/** Sent to the server. */
export interface ClientNotifications {
  'layerLens/trustGranted': Record<string, never>;
  /** A person asked to run a model that is larger than what runs by itself. */
  'layerLens/modelWanted': { readonly model: string };
  /** The text editor in front. */
  'layerLens/documentShown': { readonly uri: string };
}

/** Settings as the server reads them (section `layerLens`). */
export interface ServerSettings {
  readonly model: { readonly path: string; readonly exclude: readonly string[] };
  readonly input: { readonly path: string };
  readonly preprocessing: PreprocessingOverrides;
  readonly engine: {
    readonly threads: number;
    readonly memoryLimitMB: number;
    readonly automaticRunLimitMB: number;
  };
  readonly hover: { readonly enabled: boolean; readonly pictures: boolean };
  readonly codeLens: { readonly enabled: boolean };
}

/** What the extension passes when the server starts. */
export interface ServerStart {
  readonly trusted: boolean;
  /** Choices of this workspace that were made earlier. */
  readonly chosen: { readonly model: string | null; readonly picture: string | null };
  /** Folder of the workspace's storage, for choices that cannot be kept beside the model; null without one. */
  readonly storage: string | null;
}
