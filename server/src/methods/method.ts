import type { MethodApi, ModelFeeds } from '../../../protocol/methods';
import type { LayerInfo } from '../../../protocol/model';
import type { PictureGeometry, PreprocessingSpec } from '../../../protocol/preprocessing';
import type { Progress } from '../../../protocol/rpc';
import type { Raster } from '../image/raster';
import type { Model, TensorRef } from '../onnx/graph';
import type { InferredValues } from '../onnx/shapes/inferShapes';
import type { Tensor } from '../onnx/tensor';
import type { TokenTexts } from '../text/tokenTexts';

/** What the engine gives a method: the opened model, its weights, and runs. Methods do no I/O of their own. */
export interface MethodContext {
  readonly model: Model;
  readonly layers: readonly LayerInfo[];
  readonly signal: AbortSignal;
  report(progress: Progress): void;

  /** The bytes of a constant. */
  readTensor(ref: TensorRef): Tensor;
  /**
   * Values of tensors for these feeds. Runs are cached by model and feeds. With `ahead`, a run that must happen anyway also keeps the
   * outputs of all layers while they fit the budget, so that the next layer is a look-up.
   */
  values(
    feeds: ModelFeeds,
    tensors: readonly string[],
    options?: { readonly ahead?: boolean },
  ): Promise<RunValues>;
  /** The fed tensors themselves, by graph input. */
  fed(feeds: ModelFeeds): Promise<ReadonlyMap<string, Tensor>>;
  /** The same for the same feeds as long as their files do not change. */
  feedsKey(feeds: ModelFeeds): Promise<string>;
  /** Type, shape and small values of everything in `model` when inputs of these shapes are fed, as far as they are known without a run. */
  infer(model: Model, inputs: ReadonlyMap<string, readonly number[]>): InferredValues;
  /** Runs a graph that a method made of the model's own weights. Its session is kept; with `key`, so are its values. */
  runGraph(plan: GraphPlan, inputs: GraphInputs): Promise<RunValues>;
  /** What a run of the graph with this key was kept for inputs with this key; null where nothing is kept. */
  keptGraph(key: string, inputsKey: string): ReadonlyMap<string, Tensor> | null;
  /** A .npy file (absolute path). */
  readArray(path: string): Promise<Tensor>;
  /** A tokenizer file (absolute path). */
  tokenTexts(path: string): Promise<TokenTexts>;
  /** Which part of the picture the network sees, for the first image among the feeds; null without one. */
  geometry(feeds: ModelFeeds): Promise<PictureGeometry | null>;
  /** Decodes a picture, upright. */
  decode(path: string): Promise<{ readonly raster: Raster; readonly notes: readonly string[] }>;
  /** The tensor that a picture becomes. */
  preprocess(
    path: string,
    spec: PreprocessingSpec,
  ): Promise<{
    readonly tensor: Tensor;
    readonly geometry: PictureGeometry;
    readonly notes: readonly string[];
  }>;
}

/** A graph to be run: the model itself, cut, extended or both. */
export interface GraphPlan {
  /** Says what the graph is: the same key, the same graph. */
  readonly key: string;
  readonly outputs: readonly string[];
  /** Asked for where no session is kept. Large weights of the graph are references into the opened model's files. */
  make(): Model;
}
export interface GraphInputs {
  /** By graph input; more than it has do no harm. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** Says what the tensors are; null where the values are not to be kept. */
  readonly key: string | null;
}

export interface RunValues {
  readonly tensors: ReadonlyMap<string, Tensor>;
  readonly times: { readonly loadMs: number; readonly forwardMs: number };
  readonly warnings: readonly string[];
}

/** A method of the engine: one file each, listed in index.ts. */
export interface Method<M extends keyof MethodApi> {
  readonly name: M;
  /** False where no ONNX Runtime session is made: these also answer in an untrusted workspace. */
  readonly runs: boolean;
  compute(params: MethodApi[M]['params'], context: MethodContext): Promise<MethodApi[M]['result']>;
}
